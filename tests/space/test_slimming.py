from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from space.architecture import Architecture
from space.fitting import BudgetError
from space.layers import Conv
from space.notation import read, write
from space.slimming import FEWEST, Kept, everything, slim, slim_to
from tests.space.strategies import PROPERTY, architectures

AVERAGED = read("1x28x28-4c3brn-8c3brn-P2-16c3brnd0.1-16c3brnd0.1-10c3brnd0.1-G")
FLATTENED = read("1x28x28-32c4br-P2n-P2n-16c2br-P2-Fn-10fb")
WITH_TRANSITIONS = read("1x16x16-10c3nr-P2-8c1-12c3pnr-10c1-10c7-F")


@st.composite
def slimmed(draw: st.DrawFn) -> tuple[Architecture, Kept]:
    """An architecture and some filters of each convolution, of the last one all that give the classes."""
    architecture = draw(architectures())
    return architecture, draw(some_filters(architecture))


def some_filters(architecture: Architecture) -> st.SearchStrategy[Kept]:
    whole = everything(architecture)
    needs_all = {len(whole) - 1} if "f" not in write(architecture) else set()

    def some(places: tuple[int, ...]) -> st.SearchStrategy[tuple[int, ...]]:
        return st.sets(st.sampled_from(places), min_size=1).map(lambda chosen: tuple(sorted(chosen)))

    return st.tuples(*(st.just(places) if n in needs_all else some(places) for n, places in enumerate(whole)))


@st.composite
def scored(draw: st.DrawFn) -> tuple[Architecture, list[list[float]]]:
    architecture = draw(architectures())
    worth = st.floats(0, 1)
    return architecture, [[draw(worth) for _ in places] for places in everything(architecture)]


def filters(architecture: Architecture) -> list[int]:
    return [layer.filters for layer in architecture.layers if isinstance(layer, Conv)]


@PROPERTY
@given(slimmed())
def test_what_is_slim_is_the_same_network_with_fewer_filters(drawn: tuple[Architecture, Kept]) -> None:
    architecture, kept = drawn
    found = slim(architecture, kept)

    assert filters(found) == [len(places) for places in kept]
    assert found.classes == architecture.classes
    assert [replace(layer, filters=1) if isinstance(layer, Conv) else layer for layer in found.layers] == [
        replace(layer, filters=1) if isinstance(layer, Conv) else layer for layer in architecture.layers
    ]
    assert read(write(found)) == found


@pytest.mark.parametrize(
    ("architecture", "kept", "line"),
    [
        (AVERAGED, (2, 3, 5, 7, 10), "1x28x28-2c3brn-3c3brn-P2-5c3brnd0.1-7c3brnd0.1-10c3brnd0.1-G"),
        (FLATTENED, (7, 3), "1x28x28-7c4br-P2n-P2n-3c2br-P2-Fn-10fb"),
        (WITH_TRANSITIONS, (4, 2, 6, 3, 10), "1x16x16-4c3nr-P2-2c1-6c3pnr-3c1-10c7-F"),
    ],
)
def test_only_the_numbers_of_filters_are_written_differently(
    architecture: Architecture, kept: tuple[int, ...], line: str
) -> None:
    assert write(slim(architecture, tuple(tuple(range(count)) for count in kept))) == line


@PROPERTY
@given(scored(), st.floats(0, 1))
def test_a_network_is_slimmed_as_far_as_it_must_be(
    drawn: tuple[Architecture, list[list[float]]], fraction: float
) -> None:
    architecture, scores = drawn
    whole = architecture.totals.parameters
    try:
        found, kept = slim_to(architecture, scores, int(fraction * whole))
    except BudgetError:
        assert fewest(architecture) > int(fraction * whole)
        return

    assert found == slim(architecture, kept)
    assert found.totals.parameters <= int(fraction * whole)
    for places, before, layer_scores in zip(kept, filters(architecture), scores, strict=True):
        assert len(places) >= min(before, FEWEST)
        gone = set(range(before)) - set(places)
        assert all(layer_scores[out] <= layer_scores[kept_one] for out in gone for kept_one in places)


def fewest(architecture: Architecture) -> int:
    """Parameters with FEWEST filters in each convolution but one that gives the classes."""
    last = len(everything(architecture)) - 1 if "f" not in write(architecture) else -1
    floor = tuple(
        places if number == last else places[:FEWEST] for number, places in enumerate(everything(architecture))
    )
    return slim(architecture, floor).totals.parameters


def uniform(architecture: Architecture) -> list[list[float]]:
    return [[1.0] * count for count in filters(architecture)]


@pytest.mark.parametrize("architecture", [AVERAGED, FLATTENED, WITH_TRANSITIONS], ids=write)
def test_every_count_down_to_the_fewest_can_be_had(architecture: Architecture) -> None:
    whole, least = architecture.totals.parameters, fewest(architecture)
    for wanted in range(least, whole, max(1, (whole - least) // 40)):
        found, _ = slim_to(architecture, uniform(architecture), wanted)
        assert found.totals.parameters <= wanted
    assert slim_to(architecture, uniform(architecture), whole) == (architecture, everything(architecture))
    assert slim_to(architecture, uniform(architecture), least)[0].totals.parameters == least


def test_no_more_goes_than_must() -> None:
    whole = AVERAGED.totals.parameters
    found, kept = slim_to(AVERAGED, uniform(AVERAGED), whole - 1)

    assert sum(map(len, kept)) == sum(filters(AVERAGED)) - 1
    assert found.totals.parameters < whole


def test_the_worst_filter_goes_first_wherever_it_is() -> None:
    scores = uniform(AVERAGED)
    scores[1][5] = 0.001
    _, kept = slim_to(AVERAGED, scores, AVERAGED.totals.parameters - 1)

    assert kept[1] == (0, 1, 2, 3, 4, 6, 7)


def test_at_a_quarter_of_the_parameters_no_convolution_is_a_bottleneck() -> None:
    wide = read("1x8x8-12c3pnr-16c3pnr-P2-24c3pnr-20c3pnr-10c1-G")
    _, kept = slim_to(wide, uniform(wide), wide.totals.parameters // 4)

    assert min(map(len, kept)) >= 2 * FEWEST


def test_filters_that_are_worth_nothing_can_go() -> None:
    scores = [[0.0] * count for count in filters(AVERAGED)]
    found, _ = slim_to(AVERAGED, scores, 2_000)

    assert found.totals.parameters <= 2_000


def test_of_filters_worth_the_same_the_one_with_most_parameters_goes() -> None:
    """84, 183, 219 and 237 parameters go with a filter of the four convolutions."""
    _, kept = slim_to(AVERAGED, uniform(AVERAGED), AVERAGED.totals.parameters - 1)

    assert [len(places) for places in kept] == [4, 8, 16, 15, 10]


def test_a_count_that_filters_alone_do_not_reach_is_refused_with_the_least() -> None:
    least = fewest(AVERAGED)
    with pytest.raises(BudgetError, match=rf"can slim {write(AVERAGED)} to {least} parameters at least, but got 100$"):
        slim_to(AVERAGED, uniform(AVERAGED), 100)


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (((0, 1), (0,)), "filters must be kept of 5 convolutions, but got those of 2"),
        (
            ((0, 4), *everything(AVERAGED)[1:]),
            r"convolution 0 must keep some of its filters 0 to 3, .*but got \(0, 4\)",
        ),
        (((1, 0), *everything(AVERAGED)[1:]), r"in ascending order, but got \(1, 0\)"),
        (((), *everything(AVERAGED)[1:]), r"must keep some of its filters 0 to 3, .*but got \(\)"),
        (
            (*everything(AVERAGED)[:4], (0, 1)),
            r"convolution 4 gives the classes and must keep all filters, but got \(0, 1\)",
        ),
    ],
)
def test_filters_that_are_not_there_or_must_be_are_refused(kept: Kept, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        slim(AVERAGED, kept)
