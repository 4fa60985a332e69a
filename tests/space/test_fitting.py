from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations, product

import pytest

from space.fitting import BudgetError, check_budget, largest, parameters, share_within, smallest
from space.ranges import Choice, Range, Value
from space.search_space import SearchSpace
from tests.space.strategies import SPACES

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


def test_shares_grow_with_the_budget() -> None:
    least, most = EXTREMES[MNIST]
    shares = share_within(MNIST, (least - 1, 5_000, 10_000, 20_000, most), draws=300)

    assert list(shares) == [least - 1, 5_000, 10_000, 20_000, most]
    assert list(shares.values()) == sorted(shares.values())
    assert (shares[least - 1], shares[most]) == (0, 1)
    assert 0 < shares[5_000] < shares[20_000] < 1


def test_the_seed_gives_the_shares() -> None:
    assert share_within(MNIST, (10_000,), 200) == share_within(MNIST, (10_000,), 200)
    assert share_within(MNIST, (10_000, 20_000), 200) != share_within(MNIST, (10_000, 20_000), 200, seed=1)


def test_a_budget_that_nothing_meets_is_refused_with_the_least() -> None:
    least, _ = EXTREMES[MNIST]
    message = f"^budget must be at least {least} parameters for 28x28 images of 10 classes, but got 12$"

    check_budget(MNIST, least)
    with pytest.raises(BudgetError, match=message):
        check_budget(MNIST, 12)
