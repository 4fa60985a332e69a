from __future__ import annotations

import io
import json

from rich.console import Console

from dashboards.budgets import Holding, budget_rows, budgets_table, holdings, trail_rows, trail_table
from space.candidate import Candidate, State
from tests.dashboards.reports import confirmed
from tests.dashboards.studies import candidate, won

BUDGETS = (1000, 2000, 3000)
CANDIDATES = [
    candidate(0, 2500, 0.995, confirmations=confirmed(0.993)),
    candidate(1, 1900, 0.992, confirmations=confirmed(0.991)),
    candidate(2, 1800, 0.999, state=State.PRUNED, rungs={1: 0.999}),
    candidate(3, 900, None, state=State.RUNNING),
]
TRAIL = won(*CANDIDATES[:2])


def numbers(found: list[Holding]) -> list[tuple[int, int | None, int | None]]:
    def number(one: Candidate | None) -> int | None:
        return None if one is None else one.number

    return [(one.budget, number(one.best), number(one.winner)) for one in found]


def printed(table: object) -> str:
    file = io.StringIO()
    Console(file=file, width=120).print(table)
    return file.getvalue()


def test_each_budget_has_the_best_that_fits_and_its_winner() -> None:
    assert numbers(holdings(BUDGETS, CANDIDATES, TRAIL)) == [(1000, None, None), (2000, 1, 1), (3000, 0, 0)]
    assert numbers(holdings(BUDGETS, CANDIDATES, ())) == [(1000, None, None), (2000, 1, None), (3000, 0, None)]


def test_rows_are_plain_values_and_say_what_the_tables_say() -> None:
    found = holdings(BUDGETS, CANDIDATES, TRAIL)
    rows = json.loads(json.dumps(budget_rows(found)))
    assert rows[0] == {"budget": 1000, "best": None, "winner": None}
    assert rows[1]["winner"]["parameters"] == 1900
    shown = printed(budgets_table(found))
    assert "#1        1,900    99.20 %       16       #1        1,900     99.10 %" in shown
    assert json.loads(json.dumps(trail_rows(CANDIDATES, TRAIL)))[0] == {
        "number": 0,
        "parameters": 2500,
        "confirmed_accuracy": CANDIDATES[0].confirmed_accuracy,
        "when": "2026-03-04T05:06:00+00:00",
    }
    table = printed(trail_table(CANDIDATES, TRAIL))
    assert "2,500     99.30 %   2026-03-04 05:06:00" in table
    assert table.index("2,500") < table.index("1,900")
