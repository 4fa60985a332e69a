from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.pareto.points import Cost, Kind, front, points_of, published_point
from space.candidate import Confirmation, PrunedFrom, State
from space.published import PUBLISHED, Published
from tests.dashboards.studies import candidate, study, verification

networks = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 20)), max_size=30)


@given(networks)
def test_no_network_beats_one_of_the_front_and_each_other_is_matched_by_one(found: list[tuple[int, int]]) -> None:
    points = points_of(study(*(candidate(number, size, share / 20) for number, (size, share) in enumerate(found))))
    best = front(points, Cost.PARAMETERS)
    for point in best:
        assert not any(
            other.parameters <= point.parameters
            and other.accuracy >= point.accuracy
            and (other.parameters, other.accuracy) != (point.parameters, point.accuracy)
            for other in points
        )
    for point in points:
        assert any(one.parameters <= point.parameters and one.accuracy >= point.accuracy for one in best)


@given(networks, st.randoms())
def test_the_front_does_not_depend_on_the_order_of_the_candidates(
    found: list[tuple[int, int]], chance: random.Random
) -> None:
    candidates = [candidate(number, size, share / 20) for number, (size, share) in enumerate(found)]
    before = front(points_of(study(*candidates)), Cost.PARAMETERS)
    chance.shuffle(candidates)
    assert front(points_of(study(*candidates)), Cost.PARAMETERS) == before


def test_each_cost_has_a_front_of_its_own() -> None:
    points = points_of(study(candidate(0, 100, 0.9, macs=900), candidate(1, 200, 0.9, macs=300)))
    assert [point.name for point in front(points, Cost.PARAMETERS)] == ["#0"]
    assert [point.name for point in front(points, Cost.MACS)] == ["#1"]


def test_a_candidate_is_shown_by_the_accuracy_of_its_longest_training() -> None:
    (point,) = points_of(study(candidate(0, 100, 0.9, rungs={1: 0.95, 4: 0.93}, state=State.PRUNED)))
    assert (point.kind, point.epochs, point.accuracy) == (Kind.PRUNED, 4, 0.93)


def test_what_was_never_trained_has_no_point() -> None:
    assert points_of(study(candidate(0, 20_000, None, state=State.OVER_BUDGET))) == []


def test_verifications_are_a_point_of_their_own_with_the_interval_of_their_mean() -> None:
    runs = tuple(verification(place, accuracy) for place, accuracy in enumerate((0.98, 0.99, 1.0)))
    validated, verified = points_of(study(candidate(0, 100, 0.995, verifications=runs)))
    assert (validated.kind, validated.interval) == (Kind.COMPLETE, None)
    assert verified.kind == Kind.VERIFIED
    assert verified.accuracy == pytest.approx(0.99)
    assert verified.interval == pytest.approx((0.99 - 4.303 * 0.01 / 3**0.5, 0.99 + 4.303 * 0.01 / 3**0.5), abs=1e-5)


def test_the_interval_of_a_single_verification_is_that_of_its_images() -> None:
    _, verified = points_of(study(candidate(0, 100, 0.995, verifications=(verification(0, 0.99),))))
    assert verified.interval == pytest.approx((0.9817, 0.9946), abs=1e-4)  # Wilson's, 990 of 1,000
    assert verified.remark == "one training"


def test_a_pruned_network_is_told_from_what_was_searched() -> None:
    pruning = PrunedFrom(parent=7, what="filters", keep=0.5, rounds=3, round=1)
    (point,) = points_of(study(candidate(8, 100, 0.99, pruning=pruning)))
    assert (point.kind, point.kind.is_searched) == (Kind.SLIMMED, False)
    assert "pruned filters: #7" in point.remark


def test_confirmations_are_remarked() -> None:
    fresh = tuple(Confirmation(fold=fold, seed=1, accuracy=0.98 + fold / 100, seconds=1.0) for fold in (0, 1))
    (point,) = points_of(study(candidate(0, 100, 0.99, confirmations=fresh)))
    assert point.remark == "confirmed: 98.50 %, mean of 2"


@pytest.mark.parametrize("network", PUBLISHED, ids=lambda network: network.name)
def test_a_published_network_has_its_published_accuracy_and_our_counts(network: Published) -> None:
    point = published_point(network)
    totals = network.architecture.totals
    assert (point.kind, point.accuracy, point.study) == (Kind.PUBLISHED, network.accuracy, "")
    assert [point.cost(cost) for cost in Cost] == [network.parameters, totals.macs, totals.peak_activation_bytes]
    assert point.remark == "chosen on the test set"
