from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from space.fitting import BudgetError, check_budget, largest, parameters, share_within, shrink, smallest
from space.layers import Conv
from space.ranges import Choice, Choices, Range, Value
from space.search_space import SearchSpace
from tests.space.strategies import PROPERTY, SPACES, chosen

MNIST = SPACES[0]
EXTREMES = {space: (parameters(space, smallest(space)), parameters(space, largest(space))) for space in SPACES}
FREE = ("kernel1", "depth2", "transition", "transition1", "norm", "padding", "head", "head_kernel", "finish")


class Reduced(SearchSpace):
    """So few networks that all of them can be counted."""

    @property
    def dimensions(self) -> tuple[Range | Choice, ...]:
        return tuple(self.reduced(dimension) for dimension in super().dimensions)

    def reduced(self, dimension: Range | Choice) -> Range | Choice:
        if isinstance(dimension, Range):
            return replace(dimension, high=dimension.low + (dimension.name in FREE), usual=None)
        if dimension.name not in FREE:
            return replace(dimension, values=dimension.values[:1], weights=(100,))
        return dimension

    def everything(self) -> list[dict[str, Value]]:
        names = [dimension.name for dimension in self.dimensions]
        every = (
            range(dimension.low, dimension.high + 1) if isinstance(dimension, Range) else dimension.values
            for dimension in self.dimensions
        )
        return [dict(zip(names, values, strict=True)) for values in product(*every)]


@pytest.mark.parametrize("space", [Reduced((1, 6, 6), 2), Reduced((1, 9, 8), 40)], ids=str)
def test_the_extremes_are_those_of_all_networks(space: Reduced) -> None:
    counts = [parameters(space, choices) for choices in space.everything()]

    assert len(counts) > 1_000
    assert parameters(space, smallest(space)) == min(counts)
    assert parameters(space, largest(space)) == max(counts)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_no_draw_and_no_corner_leaves_the_extremes(space: SearchSpace) -> None:
    least, most = EXTREMES[space]
    rng = random.Random(0)
    for _ in range(1_500):
        for choices in (space.random(rng), space.choose(lambda dimension: rng.choice(dimension.ends))):
            assert least <= parameters(space, choices) <= most


@pytest.mark.parametrize("space", SPACES[:3], ids=str)
def test_no_two_changes_go_beyond_the_extremes(space: SearchSpace) -> None:
    least, most = EXTREMES[space]
    low, high = smallest(space), largest(space)
    for one, other in combinations(space.dimensions, 2):
        for ends in product(one.ends, other.ends):
            changes = dict(zip((one.name, other.name), ends, strict=True))
            assert parameters(space, low | changes) >= least
            assert parameters(space, high | changes) <= most


@pytest.mark.parametrize("space", [SearchSpace((3, 64, 64), 100), SearchSpace((1, 7, 31), 47)], ids=str)
def test_the_extremes_of_large_images_and_many_classes(space: SearchSpace) -> None:
    least, most = parameters(space, smallest(space)), parameters(space, largest(space))
    rng = random.Random(0)
    corners = [parameters(space, space.choose(lambda dimension: rng.choice(dimension.ends))) for _ in range(3_000)]

    assert least <= min(corners)
    assert max(corners) <= most


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
        assert 0.7 * budget < parameters(MNIST, shrunken) <= budget


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


def test_shares_grow_with_the_budget() -> None:
    least, most = EXTREMES[MNIST]
    shares = share_within(MNIST, (least - 1, 5_000, 10_000, 20_000, most), draws=300)

    assert list(shares) == [least - 1, 5_000, 10_000, 20_000, most]
    assert list(shares.values()) == sorted(shares.values())
    assert (shares[least - 1], shares[most]) == (0, 1)
    assert 0 < shares[5_000] < shares[20_000] < 1


def test_the_seed_gives_the_shares() -> None:
    assert share_within(MNIST, (10_000,), 200) == share_within(MNIST, (10_000,), 200)
    assert share_within(MNIST, (10_000,), 200) != share_within(MNIST, (10_000,), 200, seed=1)


def test_a_budget_that_nothing_meets_is_refused_with_the_least() -> None:
    least, _ = EXTREMES[MNIST]
    message = f"^budget must be at least {least} parameters for 28x28 images of 10 classes, but got 12$"

    check_budget(MNIST, least)
    with pytest.raises(BudgetError, match=message):
        check_budget(MNIST, 12)
    with pytest.raises(BudgetError, match=message):
        shrink(MNIST, MNIST.random(random.Random(0)), 12)
