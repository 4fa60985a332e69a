from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("budget", [1550, 10_000])
def test_those_too_large_are_begun_with_as_they_fit_with_separable_convolutions(budget: int) -> None:
    found = starts(MNIST, budget)
    fitting = [network.name for network, _ in published_in(MNIST) if network.parameters <= budget]
    assert [start.name for start in found[: len(fitting)]] == fitting
    assert len(found) == 12
    for start in found[len(fitting) :]:
        network = MNIST.architecture(start.choices)
        assert start.name == f"{start.network.name}, separable"
        assert 0.95 * budget < network.totals.parameters <= budget
        assert any(isinstance(layer, DepthwiseConv) for layer in network.layers)


@pytest.mark.parametrize("space", [*SPACES[1:], SearchSpace((1, 28, 28), 47), SearchSpace((3, 28, 28), 10)], ids=str)
def test_other_images_and_classes_have_no_published_networks(space: SearchSpace) -> None:
    assert published_in(space) == []
