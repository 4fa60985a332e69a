from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from space.drawing import FILTERS, is_growth
from space.filling import fill, settle, shrink
from space.fitting import BudgetError, largest, parameters, smallest
from space.known_points import published_in
from space.layers import Conv
from space.notation import write
from space.ranges import Choice, Choices, Range, Value
from space.search_space import FILL, SearchSpace
from tests.space.strategies import PROPERTY, SPACES, choices, chosen

MNIST = SPACES[0]
MOST = parameters(MNIST, largest(MNIST))


class Narrow(SearchSpace):
    """So few widths that all networks of one shape can be counted."""

    @property
    def dimensions(self) -> tuple[Range | Choice, ...]:
        return tuple(self.narrowed(dimension) for dimension in super().dimensions)

    def narrowed(self, dimension: Range | Choice) -> Range | Choice:
        if not isinstance(dimension, Range):
            return dimension
        if not dimension.filters:
            return replace(dimension, high=min(dimension.high, 2), usual=None)
        low, high = (-1, 2) if is_growth(dimension.name) else (2, 5)
        return replace(dimension, low=low, high=high, usual=None)

    def of_one_shape(self, choices: Choices) -> Iterator[dict[str, Value]]:
        """All choices that differ in widths which the network uses."""
        used = [found for found in self.dimensions if isinstance(found, Range) and found.name in used_in(self, choices)]
        for values in product(*(range(found.low, found.high + 1) for found in used)):
            yield {**choices, **{found.name: value for found, value in zip(used, values, strict=True)}}


def used_in(space: SearchSpace, choices: Choices) -> set[str]:
    drawing = space.drawing(choices)
    drawing.architecture()
    return set(drawing.chosen)


SMALL = Narrow((1, 8, 8), 3)


@cache
def fewest(space: SearchSpace) -> int:
    return parameters(space, smallest(space))


def filters(space: SearchSpace, choices: Choices) -> list[int]:
    return [layer.filters for layer in space.architecture(choices).layers if isinstance(layer, Conv)]


def no_wider(space: SearchSpace, one: Choices, other: Choices) -> bool:
    return all(ours <= theirs for ours, theirs in zip(filters(space, one), filters(space, other), strict=True))


def same_but_for_filters(space: SearchSpace, one: Choices, other: Choices) -> bool:
    return all(
        one[dimension.name] == other[dimension.name]
        for dimension in space.dimensions
        if not (isinstance(dimension, Range) and dimension.filters)
    )


def is_maximal(found: Choices, budget: int, limit: Choices | None = None) -> bool:
    """Whether no network of this shape that fits has as many filters everywhere, more of them somewhere, and nowhere
    more than `limit`."""
    return not any(
        parameters(SMALL, other) <= budget
        and no_wider(SMALL, found, other)
        and filters(SMALL, found) != filters(SMALL, other)
        and (limit is None or no_wider(SMALL, other, limit))
        for other in SMALL.of_one_shape(found)
    )


def in_ranges(space: SearchSpace, choices: Choices) -> bool:
    return all(
        choices[dimension.name] in range(dimension.low, dimension.high + 1)
        if isinstance(dimension, Range)
        else choices[dimension.name] in dimension.values
        for dimension in space.dimensions
    )


@settings(PROPERTY, max_examples=30)
@given(choices(SMALL), st.floats(0, 1))
def test_filling_is_exact_and_maximal(drawn: dict[str, Value], share: float) -> None:
    count = parameters(SMALL, drawn)
    budget = count + int(share * count)
    filled = fill(SMALL, drawn, budget)

    assert parameters(SMALL, filled) <= budget
    assert in_ranges(SMALL, filled)
    assert no_wider(SMALL, drawn, filled)
    assert is_maximal(filled, budget)


@settings(PROPERTY, max_examples=30)
@given(choices(SMALL), st.floats(0, 1))
def test_shrinking_is_exact_and_maximal(drawn: dict[str, Value], share: float) -> None:
    budget = fewest(SMALL) + int(share * (parameters(SMALL, drawn) - fewest(SMALL)))
    shrunken = shrink(SMALL, drawn, budget)

    assert parameters(SMALL, shrunken) <= budget
    assert in_ranges(SMALL, shrunken)
    if same_but_for_filters(SMALL, shrunken, drawn):
        assert no_wider(SMALL, shrunken, drawn)
        assert is_maximal(shrunken, budget, limit=drawn)


@settings(PROPERTY, max_examples=25)
@given(chosen(), st.integers(0, 20_000))
def test_filling_never_narrows_and_changes_nothing_but_widths_that_are_used(
    drawn: tuple[SearchSpace, dict[str, Value]], more: int
) -> None:
    space, asked = drawn
    budget = parameters(space, asked) + more
    filled = fill(space, asked, budget)

    assert parameters(space, filled) <= budget
    assert in_ranges(space, filled)
    assert no_wider(space, asked, filled)
    changed = {name for name, value in asked.items() if filled[name] != value}
    assert changed <= used_in(space, asked)


def test_filling_keeps_proportions_before_it_spends_what_is_left() -> None:
    narrow = {
        **MNIST.choose(lambda dimension: dimension.ends[0]),
        "depth1": 2,
        "width1": 4,
        "growth1.2": 4,
        "depth2": 1,
        "width2": 12,
        "kernel2": 3,
        "head": "average",
    }
    assert filters(MNIST, narrow) == [4, 8, 12, 10]
    count = parameters(MNIST, {**narrow, "width1": 8, "growth1.2": 8, "width2": 24})
    assert filters(MNIST, fill(MNIST, narrow, count)) == [8, 16, 24, 10]
    assert filters(MNIST, fill(MNIST, narrow, count + 155)) == [9, 16, 24, 10]
    assert filters(MNIST, fill(MNIST, narrow, count + 156)) == [8, 16, 25, 10]  # twelve times 25 / 12


def test_filling_stops_at_the_ranges() -> None:
    asked = MNIST.random(random.Random(0))
    filled = fill(MNIST, asked, 10**9)

    assert in_ranges(MNIST, filled)
    assert max(filters(MNIST, filled)) == FILTERS[1]
    assert fill(MNIST, filled, 10**9) == filled


@settings(PROPERTY, max_examples=40)
@given(chosen(), st.floats(0, 1))
def test_what_is_settled_fits_is_as_full_as_asked_and_stays_so(
    drawn: tuple[SearchSpace, dict[str, Value]], fraction: float
) -> None:
    space, asked = drawn
    budget = fewest(space) + int(fraction**3 * 30_000)
    settled = settle(space, asked, budget)

    assert parameters(space, settled) <= budget
    assert in_ranges(space, settled)
    assert settle(space, settled, budget) == settled
    assert settled[FILL] == asked[FILL]
    if parameters(space, asked) <= budget and asked[FILL] == 0:
        assert space.architecture(settled) == space.architecture(asked)


@pytest.mark.parametrize(
    ("name", "shrunk"),
    [
        ("eip-3", "4c3nr-3c3nr-5c3nr-P2-9c1nr-2c3nr-3c3nr-10c3n-G"),
        ("reduce-1", "14c4br-P2n-P2n-6c2br-P2n-F-10fb"),
    ],
)
def test_what_is_too_large_at_its_narrowest_is_changed_where_it_is_too_large(name: str, shrunk: str) -> None:
    """A head of 7x7 weights a channel and class is given up, and nothing else is."""
    point = next(choices for network, choices in published_in(MNIST) if network.name == name)
    assert write(MNIST.architecture(shrink(MNIST, point, 900))) == f"1x28x28-{shrunk}"


@pytest.mark.parametrize("full", [60, 80, 100])
def test_a_network_takes_up_as_much_of_the_budget_as_asked(full: int) -> None:
    rng = random.Random(full)
    for _ in range(30):
        asked = {**MNIST.random(rng), FILL: full}
        count, most = parameters(MNIST, asked), 100 * full
        settled = settle(MNIST, asked, 10_000)
        found, widest = parameters(MNIST, settled), parameters(MNIST, fill(MNIST, settled, MOST))
        if most < count <= 10_000:
            assert found == count
        else:
            assert 0.9 * most < found <= most or found == widest or asked["depth1"] == 1


def test_the_published_networks_are_asked_as_they_are() -> None:
    for network, point in published_in(MNIST):
        assert settle(MNIST, point, 20_000) == point
        assert settle(MNIST, point, network.parameters) == point


def test_growths_are_written_as_what_they_come_to() -> None:
    asked = {**MNIST.random(random.Random(1)), "depth1": 3, "width1": 3, "growth1.2": -8, "growth1.3": -8, FILL: 0}
    settled = settle(MNIST, asked, 10**6)

    assert (settled["growth1.2"], settled["growth1.3"]) == (-1, 0)
    assert MNIST.architecture(settled) == MNIST.architecture(asked)
    assert settle(MNIST, {**asked, "depth1": 1}, 10**6)["growth1.2"] == -8


def test_a_budget_that_nothing_meets_is_refused_with_the_least() -> None:
    with pytest.raises(BudgetError, match=r"^budget must be at least \d+ parameters"):
        shrink(MNIST, MNIST.random(random.Random(0)), 12)


@settings(PROPERTY, max_examples=40)
@given(chosen(), st.floats(0, 1))
def test_a_shrunken_choice_fits_and_widens_nothing(
    drawn: tuple[SearchSpace, dict[str, Value]], fraction: float
) -> None:
    space, choices = drawn
    least = fewest(space)
    budget = least + int(fraction**3 * 30_000)
    shrunken = shrink(space, choices, budget)

    assert parameters(space, shrunken) <= budget
    for dimension in space.dimensions:
        if isinstance(dimension, Range):
            assert shrunken[dimension.name] in range(dimension.low, dimension.high + 1)
            if dimension.log:
                assert int(shrunken[dimension.name]) <= int(choices[dimension.name])
        else:
            assert shrunken[dimension.name] in dimension.values
    if same_but_for_filters(space, shrunken, choices):
        assert no_wider(space, shrunken, choices)


@settings(PROPERTY, max_examples=25)
@given(chosen())
def test_what_fits_is_not_shrunk(drawn: tuple[SearchSpace, dict[str, Value]]) -> None:
    space, choices = drawn
    shrunken = shrink(space, choices, parameters(space, choices))

    assert space.architecture(shrunken) == space.architecture(choices)


@settings(PROPERTY, max_examples=12)
@given(chosen())
def test_the_smallest_budget_gives_a_smallest_network(drawn: tuple[SearchSpace, dict[str, Value]]) -> None:
    space, choices = drawn
    least = fewest(space)

    assert parameters(space, shrink(space, choices, least)) == least


def test_shrinking_keeps_the_kind_of_network_and_most_of_the_budget() -> None:
    widest = {**MNIST.choose(lambda dimension: dimension.ends[-1]), "head": "average", "bias": False}
    for budget in (3_000, 5_000, 10_000, 20_000):
        shrunken = shrink(MNIST, widest, budget)
        assert same_but_for_filters(MNIST, shrunken, widest)
        assert 0.95 * budget < parameters(MNIST, shrunken) <= budget


@pytest.mark.parametrize("growth", [-8, -3, 0, 16])
def test_no_convolution_gets_more_filters_than_it_had(growth: int) -> None:
    """The second convolution's growth is cut off at the most filters that there are; the third one follows it."""
    choices = {
        **MNIST.choose(lambda dimension: dimension.ends[-1]),
        "width1": 32,
        "growth1.2": 16,
        "growth1.3": growth,
        "head": "average",
    }
    full = parameters(MNIST, choices)
    for budget in range(full // 20, full, full // 20):
        shrunken = shrink(MNIST, choices, budget)
        if same_but_for_filters(MNIST, shrunken, choices):
            assert no_wider(MNIST, shrunken, choices)
