from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboards.pareto.chart import Chart
from dashboards.pareto.points import Cost, Kind
from space.candidate import Candidate, PrunedFrom, State
from tests.dashboards.studies import candidate, chart, several, study, verification

BELOW = "Below the picture: 1 of 9 results, the lowest 10.00 %."


def crowd(*more: Candidate) -> Chart:
    """Eight good candidates and others."""
    good = [candidate(number, 1000 * number, 0.98 + number / 1000) for number in range(1, 9)]
    return chart(*good, *more)


def test_a_hopeless_candidate_is_said_instead_of_squashing_the_others() -> None:
    drawn = crowd(candidate(9, 5000, 0.1))
    assert drawn.y.high < 0.05
    assert BELOW in drawn.notes()
    assert "#9" not in {point.name for points in drawn.shown.values() for point in points}


def test_nothing_is_said_to_be_below_where_nothing_is() -> None:
    assert not any(note.startswith("Below") for note in crowd().notes())


def test_a_target_and_what_was_tested_are_always_within_the_axis() -> None:
    runs = (verification(0, 0.7),)
    drawn = chart(*crowd().studies[0].candidates, candidate(9, 3000, 0.98, verifications=runs), target=0.5)
    assert 0.5 in drawn.y
    assert drawn.y.high > 0.5
    assert any(key[1] == Kind.VERIFIED for key in drawn.shown)


def test_a_perfect_accuracy_is_on_the_upper_edge_and_said_to_be() -> None:
    drawn = crowd(candidate(9, 9000, 1.0))
    best = drawn.fronts["study"][-1]
    assert best.accuracy == 1.0
    assert drawn.is_shown(best)
    assert drawn.stairs("study")[-1][1] == drawn.y.low
    assert "On the upper edge: 1 at 100 %." in drawn.notes()


@given(st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 1)), min_size=1, max_size=20), st.floats(0.01, 1))
def test_every_point_is_on_the_picture_or_counted_as_beyond_it(found: list[tuple[int, float]], target: float) -> None:
    drawn = chart(*(candidate(i, size, accuracy) for i, (size, accuracy) in enumerate(found)), target=target)
    below = [note for note in drawn.notes() if note.startswith("Below")]
    told = int(below[0].removeprefix("Below the picture: ").split()[0]) if below else 0
    assert sum(map(len, drawn.shown.values())) + told == len(found)
    assert 0 < drawn.y.low < drawn.y.high < 1


@given(st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 1)), min_size=1, max_size=20))
@example([(1, 0.4375), (2, 0.5), (2, 0.5), (2, 0.5)])  # the smallest is left of the picture, but not below it
def test_stairs_only_go_right_and_towards_smaller_errors(found: list[tuple[int, float]]) -> None:
    drawn = chart(*(candidate(number, size, accuracy) for number, (size, accuracy) in enumerate(found)))
    corners = drawn.stairs("study")
    assert corners == sorted(corners, key=lambda corner: (corner[0], -corner[1]))
    assert [error for _, error in corners] == sorted((error for _, error in corners), reverse=True)
    assert all(cost in drawn.x and error in drawn.y for cost, error in corners)


def test_stairs_step_where_a_network_of_the_front_is() -> None:
    drawn = chart(candidate(0, 1000, 0.9), candidate(1, 2000, 0.95), candidate(2, 3000, 0.94))
    costs, errors = zip(*drawn.stairs("study"), strict=True)
    assert costs == (1000, 1000, 2000, 2000, drawn.x.high)
    assert errors == pytest.approx((drawn.y.high, 0.1, 0.1, 0.05, 0.05))


def test_pruned_networks_and_tested_accuracies_are_not_of_the_front() -> None:
    pruning = PrunedFrom(parent=0, what="weights", keep=0.5, rounds=1, round=1)
    drawn = chart(
        candidate(0, 2000, 0.9, verifications=(verification(0, 0.99),)), candidate(1, 1000, 0.95, pruning=pruning)
    )
    assert [point.name for point in drawn.fronts["study"]] == ["#0"]
    assert drawn.fronts["study"][0].accuracy == 0.9


def test_each_budget_has_the_best_of_all_studies_within_it() -> None:
    small, large = several().bands
    assert (small.low, small.budget, large.low, large.budget) == (0, 10_000, 10_000, 15_000)
    assert small.best is not None
    assert large.best is not None
    assert (small.best.study, small.best.name) == ("small", "#1")
    assert (large.best.study, large.best.name) == ("large", "#0")


def test_each_budget_of_one_study_has_a_band() -> None:
    drawn = chart(candidate(0, 900, 0.9), candidate(1, 1500, 0.95), budgets=(1000, 2000))
    found = [(band.low, band.budget, band.best and band.best.name) for band in drawn.bands]
    assert found == [(0, 1000, "#0"), (1000, 2000, "#1")]


def test_a_budget_within_which_nothing_was_trained_has_no_best() -> None:
    drawn = Chart((study(candidate(0, 9000, 0.9)), study(name="tiny", budgets=(1000,))), Cost.PARAMETERS)
    assert [band.best and band.best.name for band in drawn.bands] == [None, "#0"]


def test_states_and_rungs_are_series_of_their_own() -> None:
    keys = [key for key in several().shown if key[0] == "small"]
    expected = {Kind.COMPLETE: 0, Kind.VERIFIED: 0, Kind.FAILED: 0, Kind.RUNNING: 0}
    assert set(keys) == {("small", kind, epochs) for kind, epochs in expected.items()} | {
        ("small", Kind.PRUNED, 1),
        ("small", Kind.PRUNED, 4),
    }


def test_published_networks_are_only_compared_on_their_own_data() -> None:
    assert any(point.kind == Kind.PUBLISHED for point in several().points)
    assert not any(point.kind == Kind.PUBLISHED for point in crowd().points)


def test_published_networks_far_beyond_the_candidates_are_said() -> None:
    drawn = several()
    assert "Beside the picture: reduce-baseline (591,786), eip-1 (194,884)." in drawn.notes()
    assert drawn.x.high < 50_000


def test_a_reader_is_told_what_has_no_accuracy_and_which_accuracies_have_chosen() -> None:
    notes = several().notes()
    assert "Not in the picture, because they have no accuracy: 1 over budget." in notes
    assert "Best within 10,000 parameters: 99.30 % in validation, #1 of small, 9,000 parameters." in notes
    assert any("Validation accuracies have chosen" in note for note in notes)
    assert "Published accuracies were chosen on the test set." in notes


@pytest.mark.parametrize("cost", list(Cost))
def test_the_numbers_are_plain_json(cost: Cost) -> None:
    drawn = Chart(several().studies, cost)
    value = json.loads(json.dumps(drawn.to_json(), allow_nan=False))
    assert value["cost"] == str(cost)
    assert len(value["points"]) == len(drawn.points)
    tested = {row["kind"] for row in value["points"] if row["measured_on"] == "test"}
    assert tested == {"verified", "published"}
    assert value["fronts"]["large"] == ["#1", "#0"]


def test_a_front_below_the_picture_has_no_stairs() -> None:
    bad = study(candidate(0, 500, 0.1, state=State.PRUNED), name="bad")
    drawn = Chart((*crowd().studies, bad), Cost.PARAMETERS)
    assert drawn.stairs("bad") == []
    assert drawn.stairs("study")


def test_a_candidate_that_is_best_and_verified_is_named_once_and_before_published_networks() -> None:
    named = several().named([Kind.VERIFIED, Kind.PUBLISHED])
    assert [(point.study, point.name) for point in named[:3]] == [
        ("small", "#1"),
        ("large", "#0"),
        ("", "optimization"),
    ]
    assert named[0].kind == Kind.VERIFIED


def test_an_outlier_in_accuracy_does_not_stretch_the_costs() -> None:
    usual = [candidate(number, 4000 + 500 * number, 0.97 + 0.002 * number) for number in range(8)]
    tiny = candidate(8, 90, 0.2)
    drawn = chart(*usual, tiny)
    assert drawn.x == chart(*usual).x
    assert any(note == "Below the picture: 1 of 9 results, the lowest 20.00 %." for note in drawn.notes())
