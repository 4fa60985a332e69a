from __future__ import annotations

import pytest

from dashboards.views.curves import accuracies
from dashboards.views.lines import MOST_LINES
from dashboards.views.view import Band, Curve, View
from space.candidate import State
from tests.dashboards.searches import search, searched, timed


def curves(view: View) -> dict[str, Curve]:
    return {one.name: one for one in view.series if isinstance(one, Curve)}


def lines(curve: Curve) -> int:
    return 1 + curve.x.count(None)


def test_each_candidate_is_a_line_through_its_lengths_of_training() -> None:
    view = accuracies(
        searched(
            timed(0, 0, 1, {1: 0.9, 4: 0.95, 16: 0.98}),
            timed(1, 0, 1, {1: 0.8, 4: 0.85}, state=State.PRUNED),
            timed(2, 0, 1, {1: 0.81, 4: 0.84}, state=State.PRUNED),
        )
    )
    found = curves(view)
    best, pruned = found["best: #0"], found["pruned after 4 epochs"]
    assert best.x == (1, 4, 16)
    assert best.y == pytest.approx((0.1, 0.05, 0.02))
    assert pruned.x == (1, 4, None, 1, 4)
    assert pruned.hovers[0].startswith("#1\n")
    assert pruned.hovers[2] == ""
    assert best.width > pruned.width


def test_the_longest_trained_and_of_these_the_best_are_drawn() -> None:
    study = search(1000)
    view = accuracies(study)
    drawn = [curve for name, curve in curves(view).items() if not name.startswith("target")]
    assert sum(map(lines, drawn)) == MOST_LINES
    trained = sum(bool(candidate.rungs) for candidate in study.candidates)
    assert f"Drawn are 60 of {trained} candidates: the longest trained, and of these the best." in view.notes
    longest = [candidate for candidate in study.candidates if candidate.epochs == 16]
    best = max(longest, key=lambda candidate: candidate.accuracy or 0)
    assert f"best: #{best.number}" in curves(view)


def test_a_band_says_where_most_of_all_are_also_those_that_are_not_drawn() -> None:
    shown = [timed(number, 0, 1, {1: 0.5 + number / 1000, 4: 0.9}) for number in range(101)]
    (band,) = [one for one in accuracies(searched(*shown)).series if isinstance(one, Band)]
    assert band.x == (1, 4)
    assert (band.low[0], band.high[0]) == pytest.approx((0.41, 0.49))


def test_a_band_takes_some_candidates_at_several_lengths() -> None:
    once = [timed(number, 0, 1, {1: 0.9}, state=State.PRUNED) for number in range(50)]
    for few in (once, [timed(number, 0, 1, {1: 0.9, 4: 0.95}) for number in range(9)]):
        assert not any(isinstance(one, Band) for one in accuracies(searched(*few)).series)


def test_without_an_accuracy_nothing_is_drawn() -> None:
    view = accuracies(searched(timed(0, 0, 1, {}, state=State.OVER_BUDGET)))
    assert view.series == ()
    assert view.notes == ("Nothing to draw yet: no candidate has an accuracy.",)
