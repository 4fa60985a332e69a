from __future__ import annotations

from itertools import cycle

import pytest

from space.filling import fill
from space.known_points import published_in, starts
from space.layers import DepthwiseConv
from space.published import PUBLISHED
from space.ranges import Range
from space.search_space import SearchSpace
from tests.space.strategies import SPACES

MNIST = SearchSpace((1, 28, 28), 10)


def test_the_space_contains_every_published_network_of_up_to_20_000_parameters() -> None:
    small = {network.name for network in PUBLISHED if network.parameters <= 20_000}

    assert {network.name for network, _ in published_in(MNIST)} == small
    assert len(small) == 12


def test_their_choices_give_exactly_these_networks() -> None:
    for network, choices in published_in(MNIST):
        assert MNIST.architecture(choices) == network.architecture
        assert MNIST.architecture(choices).totals.parameters == network.parameters


def test_their_choices_lie_in_the_ranges() -> None:
    for _, choices in published_in(MNIST):
        assert set(choices) == {dimension.name for dimension in MNIST.dimensions}
        for dimension in MNIST.dimensions:
            if isinstance(dimension, Range):
                assert choices[dimension.name] in range(dimension.low, dimension.high + 1)
            else:
                assert choices[dimension.name] in dimension.values


def test_the_most_accurate_come_first() -> None:
    accuracies = [network.accuracy for network, _ in published_in(MNIST)]

    assert accuracies == sorted(accuracies, reverse=True)


@pytest.mark.parametrize("budgets", [(1550,), (10_000,), (10_000, 15_000)], ids=str)
def test_those_that_fit_are_begun_with_and_then_all_as_they_fill_each_budget_with_separable_convolutions(
    budgets: tuple[int, ...],
) -> None:
    known = [network for network, _ in published_in(MNIST)]
    fitting = [network.name for network in known if network.parameters <= max(budgets)]
    found = starts(MNIST, budgets)
    assert [start.name for start in found[: len(fitting)]] == fitting
    made = found[len(fitting) :]
    assert [start.name for start in made] == [f"{network.name}, separable" for network in known for _ in budgets]
    for start, budget in zip(made, cycle(sorted(budgets, reverse=True)), strict=False):
        network = MNIST.architecture(start.choices)
        assert network.totals.parameters <= budget
        assert network.totals.parameters > 0.95 * budget or start.network.parameters <= budget
        assert fill(MNIST, start.choices, budget) == start.choices
        assert any(isinstance(layer, DepthwiseConv) for layer in network.layers)


@pytest.mark.parametrize("space", [*SPACES[1:], SearchSpace((1, 28, 28), 47), SearchSpace((3, 28, 28), 10)], ids=str)
def test_other_images_and_classes_have_no_published_networks(space: SearchSpace) -> None:
    assert published_in(space) == []
