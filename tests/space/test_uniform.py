from __future__ import annotations

import pytest

from space.fitting import largest, parameters
from space.layers import Conv, MaxPool
from space.search_space import SearchSpace
from space.uniform import uniform, widest
from tests.space.strategies import SPACES

BUDGETS = (40, 300, 5_000, 10_000, 10**9)


def count(convolutions: int, filters: int, channels: int, classes: int) -> int:
    """By hand: 3x3 weights without biases, two numbers for each channel of a batch norm, none in the head."""
    inner = 9 * filters * (channels + (convolutions - 2) * filters) + 2 * filters * (convolutions - 1)
    return inner + 9 * filters * classes


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("budget", BUDGETS)
def test_the_widest_within_a_budget_are_those_of_all_widths(space: SearchSpace, budget: int) -> None:
    expected = {}
    for convolutions in range(2, 3 * space.stages + 2):
        widths = range(2, 65)
        fitting = [width for width in widths if count(convolutions, width, space.image[0], space.classes) <= budget]
        if fitting:
            expected[convolutions] = fitting[-1]
    found = widest(space, budget)
    assert {network.convolutions: network.filters for network in found} == expected
    for network in found:
        assert network.parameters == count(*network[:2], space.image[0], space.classes) <= budget
        assert network.macs == uniform(space, *network[:2]).totals.macs


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_uniform_networks_have_what_they_say_and_are_of_the_space(space: SearchSpace) -> None:
    for convolutions in range(2, 3 * space.stages + 2):
        layers = uniform(space, convolutions, 7).layers
        filters = [layer.filters for layer in layers if isinstance(layer, Conv)]
        assert filters == [7] * (convolutions - 1) + [space.classes]
        assert all(layer.kernel == 3 and layer.padding == 1 for layer in layers if isinstance(layer, Conv))
        assert sum(isinstance(layer, MaxPool) for layer in layers) == 1
    assert uniform(space, convolutions, 32).totals.parameters <= parameters(space, largest(space))
