"""Budgets: the ends of a space, the share of it that fits, and shrinking a choice until it fits."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable
from math import floor

from space.drawing import GROWING, grown, growth_name
from space.ranges import Choice, Choices, Range, Value
from space.search_space import SearchSpace

_STEPS = 64
"""Factors tried between a choice's own widths and the narrowest ones."""


class BudgetError(ValueError):
    """A budget that no network of the space can meet."""


def parameters(space: SearchSpace, choices: Choices) -> int:
    """Trainable parameters of the network that `choices` describe."""
    return space.architecture(choices).totals.parameters


def smallest(space: SearchSpace) -> dict[str, Value]:
    """Choices with the fewest parameters of the space."""
    return _extreme(space, lambda count: count)


def largest(space: SearchSpace) -> dict[str, Value]:
    """Choices with the most parameters of the space."""
    return _extreme(space, lambda count: -count)


def _extreme(space: SearchSpace, cost: Callable[[int], int]) -> dict[str, Value]:
    """Coordinate descent over the ends of the ranges, from both corners with each head, until no change helps."""
    heads: list[dict[str, Value]] = [
        {"head": head, "padding": padding}
        for head in ("average", "dense", "conv", "bottleneck conv")
        for padding in (False, True)
    ]
    corners = (
        space.choose(lambda dimension: dimension.ends[0]),
        space.choose(lambda dimension: dimension.ends[-1]),
    )
    starts = (corner | head for corner in corners for head in heads)
    return min((_descend(space, start, cost) for start in starts), key=lambda found: cost(parameters(space, found)))


def _descend(space: SearchSpace, choices: dict[str, Value], cost: Callable[[int], int]) -> dict[str, Value]:
    best = cost(parameters(space, choices))
    improved = True
    while improved:
        improved = False
        for dimension in space.dimensions:
            for value in dimension.ends:
                changed = choices | {dimension.name: value}
                found = cost(parameters(space, changed))
                if found < best:
                    choices, best, improved = changed, found, True
    return choices


def share_within(space: SearchSpace, budgets: tuple[int, ...], draws: int = 2000, seed: int = 0) -> dict[int, float]:
    """The fraction of `draws` random networks that have at most each of `budgets` parameters."""
    rng = random.Random(seed)  # noqa: S311
    counts = [parameters(space, space.random(rng)) for _ in range(draws)]
    return {budget: sum(count <= budget for count in counts) / draws for budget in budgets}


def check_budget(space: SearchSpace, budget: int) -> None:
    """BudgetError unless at least one network of the space has at most `budget` parameters."""
    least = parameters(space, smallest(space))
    if budget < least:
        raise BudgetError(
            f"budget must be at least {least} parameters for {space.image[1]}x{space.image[2]} images of "
            f"{space.classes} classes, but got {budget}"
        )


def shrink(space: SearchSpace, choices: Choices, budget: int) -> dict[str, Value]:
    """`choices` with every width scaled down by one factor, in 64ths, so far that they just fit `budget`.

    Where even the narrowest network of this shape is too large, its other choices become those of the space's smallest
    network, one after the other, until it fits. BudgetError where nothing does.
    """
    settled = _settled(space, choices)

    def is_over(step: int) -> bool:
        return parameters(space, _scaled(space, settled, step / _STEPS)) > budget

    narrowed = _scaled(space, settled, max(0, bisect_left(range(_STEPS + 1), True, key=is_over) - 1) / _STEPS)
    if parameters(space, narrowed) <= budget:
        return narrowed
    for name, value in smallest(space).items():
        narrowed[name] = value
        if parameters(space, narrowed) <= budget:
            return narrowed
    check_budget(space, budget)
    raise AssertionError("the smallest network fits every budget that passes the check")


def _settled(space: SearchSpace, choices: Choices) -> dict[str, Value]:
    """The same network, with each growth cut to what it comes to within the limits of a convolution's filters."""
    found = dict(choices)
    for stage in range(1, space.stages + 1):
        filters = int(choices[f"width{stage}"])
        for place in GROWING:
            after = grown(filters, int(choices[growth_name(stage, place)]))
            found[growth_name(stage, place)] = after - filters
            filters = after
    return found


def _scaled(space: SearchSpace, choices: Choices, factor: float) -> dict[str, Value]:
    """Choices with every number of filters scaled; what shrinks is rounded down, so that none is widened."""

    def value(dimension: Range | Choice) -> Value:
        chosen = choices[dimension.name]
        if isinstance(dimension, Range) and dimension.filters:
            return max(dimension.low, floor(int(chosen) * factor))
        return chosen

    return space.choose(value)
