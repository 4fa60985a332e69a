from __future__ import annotations

import io
import json

from rich.console import Console

from dashboards.tables import candidate_row, candidates_table, layer_rows, layers_table, ranking
from space.candidate import Candidate
from space.notation import read


def shown(renderable: object) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_best_are_those_trained_longest_and_then_the_most_accurate(candidates: list[Candidate]) -> None:
    assert [candidate.number for candidate in ranking(candidates)] == [4, 3, 2, 1]


def test_a_confirmed_winner_comes_before_a_luckier_one(candidates: list[Candidate]) -> None:
    assert [candidate.number for candidate in ranking(candidates, winner=3)] == [3, 4, 2, 1]


def test_rows_are_plain_json(candidates: list[Candidate]) -> None:
    row = json.loads(json.dumps(candidate_row(candidates[3])))
    assert row["architecture"] == "1x8x8-4c3nr-P2-10c1-G"
    assert (row["accuracy"], row["confirmed_accuracy"], row["epochs"]) == (0.92, 0.92, 16)
    assert row["rungs"] == {"1": 0.6, "4": 0.8, "16": 0.92}
    assert row["state"] == "complete"


def test_a_table_shows_what_people_compare(candidates: list[Candidate]) -> None:
    text = shown(candidates_table(ranking(candidates), "Best"))
    for part in ("Best", "700", "1,234", "92.00 %", "1x8x8-4c3nr-P2-10c1-G"):
        assert part in text


def test_a_layer_table_adds_up(candidates: list[Candidate]) -> None:
    architecture = read(candidates[3].line)
    rows = layer_rows(architecture)
    assert sum(row["parameters"] for row in rows) == architecture.totals.parameters
    text = shown(layers_table(architecture))
    for part in ("conv", "batch norm", "4x6x6", f"{architecture.totals.parameters:,}", "from 1x8x8"):
        assert part in text
