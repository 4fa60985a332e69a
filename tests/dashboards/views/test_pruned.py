from __future__ import annotations

import pytest

from dashboards.views.pruned import pruned
from dashboards.views.view import Bars, View
from space.candidate import Candidate, State
from tests.dashboards.searches import search, searched
from tests.dashboards.studies import candidate


def bars(view: View) -> dict[str, Bars]:
    return {one.name: one for one in view.series if isinstance(one, Bars)}


def over(number: int) -> Candidate:
    return candidate(number, 20_000, None, state=State.OVER_BUDGET)


def test_every_fate_is_counted() -> None:
    view = pruned(
        searched(
            *map(over, range(3)),
            candidate(3, 5000, 0.9, state=State.PRUNED, rungs={1: 0.9}),
            candidate(4, 5000, 0.9, state=State.PRUNED, rungs={1: 0.9, 4: 0.92}),
            candidate(5, 5000, None, state=State.FAILED),
            candidate(6, 5000, None, state=State.RUNNING),
            candidate(7, 5000, 0.98),
            candidate(8, 5000, 0.995),
        )
    )
    assert list(bars(view)) == [
        "over budget (3)",
        "failed (1)",
        "pruned after 1 epoch (1)",
        "pruned after 4 epochs (1)",
        "in training (1)",
        "trained to the end (1)",
        "reached the target (1)",
    ]
    assert view.notes[0].startswith("Of 9 candidates: 3 over budget, 1 failed, ")


def test_shares_are_those_of_each_block() -> None:
    numbers = range(60)
    mixed = [over(number) if number < 30 or number % 2 else candidate(number, 5000, 0.9) for number in numbers]
    found = bars(pruned(searched(*mixed)))["over budget (45)"]
    assert found.high == (*(1.0,) * 6, *(0.4, 0.6) * 3)
    assert found.hovers[6] == "candidates 31 to 35\nover budget: 2 of 5"


@pytest.mark.parametrize("count", [1, 29, 31, 200, 4999, 50_000])
def test_each_block_is_filled_and_none_overlaps_the_next(count: int) -> None:
    view = pruned(searched(*map(over, range(count - 1)), candidate(count - 1, 5000, 0.9)))
    series = list(bars(view).values())
    lengths: dict[float, float] = {}
    for one in series:
        for left, low, high in zip(one.left, one.low, one.high, strict=True):
            lengths[left] = lengths.get(left, 0.0) + high - low
    assert 1 <= len(lengths) <= 30
    assert list(lengths.values()) == pytest.approx([1.0] * len(lengths), abs=0.001)
    first = series[0]
    assert all(right < left for right, left in zip(first.right, first.left[1:], strict=False))
    assert max(max(one.right) for one in series) < count


def test_bars_of_one_block_lie_on_each_other() -> None:
    levels: dict[float, float] = {}
    for one in bars(pruned(search(500))).values():
        for left, low, high in zip(one.left, one.low, one.high, strict=True):
            assert low == pytest.approx(levels.get(left, 0.0))
            levels[left] = high


def test_without_candidates_there_are_no_bars() -> None:
    view = pruned(searched())
    assert view.series == ()
    assert view.notes == ("Nothing to draw yet: there is no candidate.",)
