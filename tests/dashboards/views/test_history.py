from __future__ import annotations

import pytest

from dashboards.pareto.points import Study
from dashboards.views.history import by_epochs, by_time
from dashboards.views.view import Curve, View
from space.candidate import PrunedFrom, State
from tests.dashboards.searches import search, searched, timed


@pytest.fixture
def three() -> Study:
    """One pruned after 60 seconds, a better one at the end after 200, and a worse one that ends last."""
    return searched(
        timed(0, 0, 60, {1: 0.9}, state=State.PRUNED),
        timed(1, 10, 200, {1: 0.92, 4: 0.95, 16: 0.98}),
        timed(2, 70, 300, {1: 0.91, 4: 0.94}, state=State.PRUNED),
    )


def curves(view: View) -> dict[tuple[str, bool], Curve]:
    """By name and whether it is a line."""
    return {(one.name, one.width > 0): one for one in view.series if isinstance(one, Curve)}


def places(curve: Curve) -> list[tuple[float | None, float]]:
    """With accuracies."""
    return [(x, round(1 - (y or 0.0), 6)) for x, y in zip(curve.x, curve.y, strict=True)]


def test_each_candidate_is_a_point_where_it_ended_at_its_longest_training(three: Study) -> None:
    found = curves(by_time(three))
    assert places(found["1 epoch", False]) == [(60, 0.9)]
    assert places(found["4 epochs", False]) == [(300, 0.94)]
    assert places(found["16 epochs", False]) == [(200, 0.98)]
    assert found["16 epochs", False].hovers[0].startswith("#1\n5,000 parameters")


def test_steps_are_the_best_so_far_of_each_length_and_never_fall(three: Study) -> None:
    view = by_time(three)
    found = curves(view)
    end = view.x.high
    assert places(found["1 epoch", True]) == [(60, 0.9), (200, 0.9), (200, 0.92), (end, 0.92)]
    assert places(found["4 epochs", True]) == [(200, 0.95), (end, 0.95)]
    for (_, is_line), curve in curves(by_time(search(300))).items():
        errors = [y for y in curve.y if y is not None]
        assert not is_line or errors == sorted(errors, reverse=True)


def test_epochs_are_those_of_all_trainings_in_the_order_in_which_they_ended(three: Study) -> None:
    view = by_epochs(three)
    found = curves(view)
    assert places(found["1 epoch", False]) == [(1, 0.9)]
    assert places(found["16 epochs", False]) == [(22, 0.98)]
    assert places(found["4 epochs", False]) == [(27, 0.94)]
    assert (
        "27 epochs in all: 3 x 1 epoch, 2 x 4 epochs, 1 x 16 epochs. All 3 candidates at 16 epochs each would have "
        "taken 48." in view.notes
    )


def test_the_best_is_told_with_when_it_was_found(three: Study) -> None:
    told = "Best after 16 epochs: 98.00 %, #1, {} The target is 99.00 %."
    assert told.format("3:20 after the first candidate began.") in by_time(three).notes
    assert told.format("after 22 epochs.") in by_epochs(three).notes


def test_the_target_is_a_line_across_the_picture(three: Study) -> None:
    view = by_time(three)
    line = curves(view)["target 99.00 %", True]
    assert places(line) == [(0, 0.99), (view.x.high, 0.99)]
    assert line.dashed


def test_what_is_in_training_or_was_pruned_from_another_is_not_in_it(three: Study) -> None:
    slim = PrunedFrom(parent=1, what="filters", keep=0.5, rounds=1, round=1)
    more = searched(
        *three.candidates,
        timed(3, 80, None, {1: 0.99}, state=State.RUNNING),
        timed(4, 90, 400, {16: 0.999}, pruning=slim),
    )
    assert by_time(more).series == by_time(three).series
    assert "Left out: 1 that pruning made of other candidates." in by_time(more).notes


def test_a_target_of_all_and_an_accuracy_of_all_can_be_drawn() -> None:
    view = by_time(searched(timed(0, 0, 60, {1: 0.9, 4: 1.0, 16: 1.0}), target=1.0))
    for curve in curves(view).values():
        assert all(y is not None and view.y.low <= y <= view.y.high for y in curve.y if not curve.dashed)


def test_the_best_and_the_longest_trained_of_many_are_drawn_and_the_rest_is_thinned() -> None:
    view = by_time(search(5000))
    drawn = [curve for curve in view.series if isinstance(curve, Curve) and curve.symbol]
    assert max(len(curve.x) for curve in drawn) < 550
    complete = [one for one in search(5000).candidates if one.state == State.COMPLETE]
    assert len(curves(view)["16 epochs", False].x) == len(complete)
    assert any(note.startswith("Thinned: ") for note in view.notes)


def test_without_a_time_nothing_is_drawn() -> None:
    timeless = searched(timed(0, 0, None, {1: 0.9}, state=State.RUNNING))
    for view in (by_time(timeless), by_epochs(timeless), by_time(searched())):
        assert view.series == ()
        assert view.notes[0] == "Nothing to draw yet: no candidate with an accuracy has ended."


def test_time_begins_with_the_first_that_began_whatever_its_number() -> None:
    late = timed(0, 50, 100, {1: 0.9}, state=State.PRUNED)
    early = timed(1, -50, 90, {}, state=State.FAILED)
    assert places(curves(by_time(searched(late, early)))["1 epoch", False]) == [(150, 0.9)]
