from __future__ import annotations

from dashboards.views import thinning


def test_few_are_all_drawn() -> None:
    assert thinning.places(5, most=5) == [0, 1, 2, 3, 4]


def test_many_are_thinned_evenly_but_for_those_that_are_kept() -> None:
    found = thinning.places(1000, kept=[7, 999], most=10)
    assert found == sorted(found)
    assert {7, 999} < set(found)
    assert {0, 100, 500, 900} < set(found)
    assert len(found) == 12


def test_a_note_is_only_where_something_is_missing() -> None:
    assert thinning.note(10, 10, "points") == []
    assert thinning.note(500, 5000, "points") == ["Thinned: 500 of 5,000 points are drawn."]
