"""Budgets: the ends of a space, and the share of it that fits."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

from space.ranges import Choices, Value
from space.search_space import SearchSpace


class BudgetError(ValueError):
    """A budget that no network of the space can meet."""


def parameters(space: SearchSpace, choices: Choices) -> int:
    """Trainable parameters of the network that `choices` describe."""
    return space.architecture(choices).totals.parameters


def smallest(space: SearchSpace) -> dict[str, Value]:
    """Choices with the fewest parameters of the space."""
    return dict(_smallest(space))


@cache
def _smallest(space: SearchSpace) -> Choices:
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
