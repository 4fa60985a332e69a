"""Where the published networks lie in the search space."""

from __future__ import annotations

from space.published import PUBLISHED, Published
from space.search_space import Choices, SearchSpace, Value

_UNUSED: dict[str, Value] = {
    **{f"depth{stage}": 0 for stage in (2, 3, 4)},
    **{f"width{stage}{place}": 8 for stage in (1, 2, 3, 4) for place in "abc"},
    **{f"kernel{stage}": 3 for stage in (1, 2, 3, 4)},
    **{f"pools{stage}": 0 for stage in (1, 2, 3, 4)},
    **{f"dropout{stage}": 0.0 for stage in (1, 2, 3, 4)},
    **{f"transition{stage}": 8 for stage in (1, 2, 3)},
    "transition": "none",
    "norm": "before relu",
    "bias": False,
    "padding": False,
    "bottleneck": False,
    "head": "average",
    "head_kernel": 3,
    "finish": "plain",
    "head_dropout": 0.0,
}


def _stage(stage: int, *widths: int, kernel: int = 3, pools: int = 0, dropout: float = 0.0) -> dict[str, Value]:
    return {
        f"depth{stage}": len(widths),
        **{f"width{stage}{place}": width for place, width in zip("abc", widths)},
        f"kernel{stage}": kernel,
        f"pools{stage}": pools,
        f"dropout{stage}": dropout,
    }


_ARTICLE: dict[str, Value] = {"norm": "after relu", "bias": True, "finish": "block"}
_REDUCE: dict[str, Value] = {"bias": True, "head": "dense", **_stage(2, 16, kernel=2, pools=1)}
_EIP: dict[str, Value] = {
    **_stage(1, 10, 12, 16, pools=1),
    **_stage(2, 12, 16),
    "transition": "after pool",
    "transition1": 10,
    "bottleneck": True,
    "head": "conv",
}

_POINTS: dict[str, dict[str, Value]] = {
    "reduce-1": {**_REDUCE, **_stage(1, 32, kernel=4, pools=2), "norm": "after pool"},
    "reduce-2": {**_REDUCE, **_stage(1, 32, pools=2), "norm": "after first pool"},
    "article-1": {
        **_ARTICLE,
        **_stage(1, 32, pools=1),
        **_stage(2, 14, pools=1),
        "head": "dense",
        "head_dropout": 0.1,
    },
    "article-2": {**_ARTICLE, **_stage(1, 4, 8, pools=1), **_stage(2, 16, 16, dropout=0.1), "head_dropout": 0.1},
    "article-3": {**_ARTICLE, **_stage(1, 2, 4, pools=1), **_stage(2, 8, 16)},
    "eip-2": {**_EIP, "norm": "none"},
    "eip-3": {**_EIP, "finish": "norm"},
    "eip-4": {**_EIP, "finish": "norm", "dropout1": 0.1, "dropout2": 0.1},
    "steps-1": {**_EIP, **_stage(1, 10, 10, 10, pools=1), **_stage(2, 10, 10)},
    "steps-2": {
        **_stage(1, 10, 16, 10, pools=1),
        **_stage(2, 10, 16, 32),
        "transition": "after pool, linear",
        "transition1": 16,
        "head_kernel": 1,
        "finish": "norm",
    },
    "steps-3": {
        **_stage(1, 16, 32, pools=1),
        **_stage(2, 10, 10),
        "transition": "before pool",
        "transition1": 16,
        "head_kernel": 1,
        "finish": "norm",
    },
    "optimization": {
        **_stage(1, 16, 16, 16, pools=1, dropout=0.1),
        **_stage(2, 16, 16, 16, dropout=0.1),
        "norm": "after relu",
        "bias": True,
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
