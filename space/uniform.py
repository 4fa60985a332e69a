"""Uniform networks: how wide a budget lets them be at each depth, as a measure of what it can buy."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from space.architecture import Architecture
from space.drawing import DEPTH, FILTERS, GROWING, growth_name
from space.ranges import Value
from space.search_space import SEPARABLE, SearchSpace

_PLAIN: dict[str, Value] = {
    "transition": "none",
    "norm": "before relu",
    "bias": False,
    "padding": True,
    SEPARABLE: 0,
    "head": "average",
    "head_kernel": 3,
    "finish": "plain",
    "dropout": 0.0,
}


class Uniform(NamedTuple):
    """The widest of its depth within a budget."""

    convolutions: int
    """The head's included."""
    filters: int
    """Of each convolution but the head's, which has one a class."""
    parameters: int
    macs: int


def uniform(space: SearchSpace, convolutions: int, filters: int) -> Architecture:
    """Padded 3x3 convolutions, each but the last, which is averaged, with batch norm and ReLU; a pool by the third."""
    left, chosen = convolutions - 1, dict(_PLAIN)
    for stage in range(1, space.stages + 1):
        depth = min(DEPTH, (left + 1) // 2 if stage == 1 else left)
        left -= depth
        chosen |= {f"depth{stage}": depth, f"width{stage}": filters, f"kernel{stage}": 3}
        chosen |= {growth_name(stage, place): 0 for place in GROWING}
    assert left == 0
    return space.architecture(space.choose(lambda dimension: chosen.get(dimension.name, dimension.ends[0])))


def widest(space: SearchSpace, budget: int) -> tuple[Uniform, ...]:
    """For each number of convolutions, from two to the most, the widest uniform network within `budget`, if any is."""
    found, (fewest, most) = [], FILTERS
    widths = range(fewest, most + 1)
    for convolutions in range(2, DEPTH * space.stages + 2):
        networks = [uniform(space, convolutions, filters) for filters in widths]
        fitting = bisect_right(networks, budget, key=lambda network: network.totals.parameters)
        if fitting:
            totals = networks[fitting - 1].totals
            found.append(Uniform(convolutions, widths[fitting - 1], totals.parameters, totals.macs))
    return tuple(found)
