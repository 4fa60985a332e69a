from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from search.promotion import Reached, goes_on, goes_on_within
from tests.space.strategies import PROPERTY

ACCURACIES = st.floats(0, 1)
RUNGS = st.lists(ACCURACIES, min_size=1, max_size=40)
REDUCTIONS = st.integers(2, 6)


@PROPERTY
@given(RUNGS, REDUCTIONS)
def test_the_best_always_goes_on(rung: list[float], reduction: int) -> None:
    assert goes_on(max(rung), rung, reduction)


@PROPERTY
@given(RUNGS, REDUCTIONS)
def test_whoever_is_at_least_as_good_as_one_that_goes_on_does_too(rung: list[float], reduction: int) -> None:
    ascending = [goes_on(accuracy, rung, reduction) for accuracy in sorted(rung)]
    assert ascending == sorted(ascending)


@PROPERTY
@given(st.lists(ACCURACIES, min_size=1, max_size=40, unique=True), REDUCTIONS)
def test_of_a_full_rung_the_best_1_of_reduction_go_on(rung: list[float], reduction: int) -> None:
    going = {accuracy for accuracy in rung if goes_on(accuracy, rung, reduction)}
    assert len(going) == max(1, len(rung) // reduction)
    assert going == set(sorted(rung)[-len(going) :])


@PROPERTY
@given(RUNGS, REDUCTIONS, st.data())
def test_the_order_of_a_rung_does_not_matter(rung: list[float], reduction: int, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rung))
    for accuracy in rung:
        assert goes_on(accuracy, rung, reduction) == goes_on(accuracy, shuffled, reduction)


@PROPERTY
@given(RUNGS, REDUCTIONS)
def test_a_rung_is_left_as_it_was(rung: list[float], reduction: int) -> None:
    before = list(rung)
    goes_on(rung[0], rung, reduction)
    assert rung == before


def test_while_a_rung_fills_only_the_best_so_far_goes_on() -> None:
    assert goes_on(0.5, [0.5], 3)
    assert goes_on(0.6, [0.5, 0.6], 3)
    assert not goes_on(0.4, [0.5, 0.6, 0.4], 3)
    assert not goes_on(0.5, [0.5, 0.6, 0.4, 0.3, 0.2], 3)
    assert goes_on(0.5, [0.5, 0.6, 0.4, 0.3, 0.2, 0.1], 3)


def test_equals_go_on_together() -> None:
    assert goes_on(0.5, [0.5, 0.5, 0.5, 0.4], 3)
    assert not goes_on(0.4, [0.5, 0.5, 0.5, 0.4], 3)


@PROPERTY
@given(st.lists(st.builds(Reached, st.integers(1, 1000), ACCURACIES), min_size=1, max_size=40), REDUCTIONS)
def test_with_one_budget_that_all_fit_it_makes_no_difference(rung: list[Reached], reduction: int) -> None:
    accuracies = [one.accuracy for one in rung]
    for own in rung:
        assert goes_on_within([1000], own, rung, reduction) == goes_on(own.accuracy, accuracies, reduction)


def test_a_small_network_is_compared_with_those_of_its_own_budget() -> None:
    large = [Reached(1900, 0.9 + place / 100) for place in range(8)]
    small = [Reached(900, 0.6), Reached(950, 0.7)]
    rung = [*large, *small]
    assert goes_on_within([1000, 2000], small[1], rung, 4)
    assert not goes_on_within([1000, 2000], small[0], rung, 4)
    assert not goes_on_within([2000], small[1], rung, 4)


def test_any_budget_that_it_fits_is_enough() -> None:
    rung = [Reached(1900, 0.5), Reached(800, 0.9), Reached(800, 0.95), Reached(1000, 0.92), Reached(900, 0.93)]
    assert goes_on_within([1000, 2000], rung[2], rung, 4)
    assert not goes_on_within([1000, 2000], rung[0], rung, 4)


def test_what_fits_no_budget_does_not_go_on() -> None:
    own = Reached(2001, 0.99)
    assert not goes_on_within([1000, 2000], own, [own], 4)
