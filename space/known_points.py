"""Where the published networks lie in the search space, and which of them a search begins with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from space.drawing import GROWING, growth_name
from space.filling import settle
from space.published import PUBLISHED, Published
from space.ranges import Choices, Value
from space.search_space import FILL, FULL, SEPARABLE, SearchSpace

_UNUSED: dict[str, Value] = {
    **{f"depth{stage}": 0 for stage in (2, 3, 4)},
    **{f"width{stage}": 8 for stage in (1, 2, 3, 4)},
    **{growth_name(stage, place): 0 for stage in (1, 2, 3, 4) for place in GROWING},
    **{f"kernel{stage}": 3 for stage in (1, 2, 3, 4)},
    **{f"pool{stage}": False for stage in (2, 3, 4)},
    **{f"transition{stage}": 8 for stage in (1, 2, 3)},
    "transition": "none",
    "norm": "before relu",
    "bias": False,
    "padding": False,
    SEPARABLE: 0,
    "head": "average",
    "head_kernel": 3,
    "finish": "plain",
    "dropout": 0.0,
    "dropout_from": 1,
    FILL: 0,
}


def _stage(stage: int, *widths: int, kernel: int = 3, pool: bool = False) -> dict[str, Value]:
    return {
        f"depth{stage}": len(widths),
        **{f"width{stage}": width for width in widths[:1]},
        **{growth_name(stage, place): after - before for place, (before, after) in enumerate(pairwise(widths), 2)},
        f"kernel{stage}": kernel,
        f"pool{stage}": pool,
    }


_ARTICLE: dict[str, Value] = {"norm": "after relu", "bias": True, "finish": "block"}
_REDUCE: dict[str, Value] = {
    "bias": True,
    "head": "dense",
    **_stage(2, pool=True),
    **_stage(3, 16, kernel=2, pool=True),
}
_EIP: dict[str, Value] = {
    **_stage(1, 10, 12, 16),
    **_stage(2, 12, 16),
    "transition": "after pool",
    "transition1": 10,
    "head": "bottleneck conv",
}

_POINTS: dict[str, dict[str, Value]] = {
    "reduce-1": {**_REDUCE, **_stage(1, 32, kernel=4), "norm": "after pool"},
    "reduce-2": {**_REDUCE, **_stage(1, 32), "norm": "after first pool"},
    "article-1": {
        **_ARTICLE,
        **_stage(1, 32),
        **_stage(2, 14, pool=True),
        "head": "dense",
        "dropout": 0.1,
        "dropout_from": 4,
    },
    "article-2": {**_ARTICLE, **_stage(1, 4, 8), **_stage(2, 16, 16), "dropout": 0.1, "dropout_from": 2},
    "article-3": {**_ARTICLE, **_stage(1, 2, 4), **_stage(2, 8, 16)},
    "eip-2": {**_EIP, "norm": "none"},
    "eip-3": {**_EIP, "finish": "norm"},
    "eip-4": {**_EIP, "finish": "norm", "dropout": 0.1},
    "steps-1": {**_EIP, **_stage(1, 10, 10, 10), **_stage(2, 10, 10)},
    "steps-2": {
        **_stage(1, 10, 16, 10),
        **_stage(2, 10, 16, 32),
        "transition": "after pool, linear",
        "transition1": 16,
        "head_kernel": 1,
        "finish": "norm",
    },
    "steps-3": {
        **_stage(1, 16, 32),
        **_stage(2, 10, 10),
        "transition": "before pool",
        "transition1": 16,
        "head_kernel": 1,
        "finish": "norm",
    },
    "optimization": {
        **_stage(1, 16, 16, 16),
        **_stage(2, 16, 16, 16),
        "norm": "after relu",
        "bias": True,
        "dropout": 0.1,
    },
}


def published_in(space: SearchSpace) -> list[tuple[Published, Choices]]:
    """The published networks that `space` contains, with the choices that give them; best published accuracy first."""
    names = {dimension.name for dimension in space.dimensions}
    found = []
    for network in PUBLISHED:
        choices = {name: value for name, value in (_UNUSED | _POINTS.get(network.name, {})).items() if name in names}
        if network.name in _POINTS and space.architecture(choices) == network.architecture:
            found.append((network, choices))
    return sorted(found, key=lambda pair: -pair[0].accuracy)


class Start(NamedTuple):
    """A published network as a search begins with it."""

    network: Published
    choices: Choices
    is_separated: bool
    """Whether it has separable convolutions, and widths that take up a budget."""

    @property
    def name(self) -> str:
        return f"{self.network.name}, separable" if self.is_separated else self.network.name


def starts(space: SearchSpace, budgets: Sequence[int]) -> list[Start]:
    """The published networks within the largest of `budgets`, and then all of them made to fit each, the largest first.

    Those get separable convolutions, and widths by which they take up the budget. Of either the best published accuracy
    comes first. BudgetError where nothing of the space fits.
    """
    found = published_in(space)
    ordered = sorted(budgets, reverse=True)
    separable: dict[str, Value] = {SEPARABLE: 1, FILL: FULL}
    return [Start(network, choices, False) for network, choices in found if network.parameters <= ordered[0]] + [
        Start(network, settle(space, {**choices, **separable}, budget), True)
        for network, choices in found
        for budget in ordered
    ]
