"""Structured pruning: whole filters are taken out, and what is left is a smaller Architecture without a mask.

After Li et al., "Pruning Filters for Efficient ConvNets" (2017): with a filter go its bias, the batch norm of its map
and the weights that read its map. What a filter is worth is measured elsewhere; here are only shapes and numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from space.architecture import Architecture
from space.fitting import BudgetError
from space.layers import Conv, Linear
from space.notation import write

FEWEST = 2
"""Filters left to a convolution at least, if it had as many: hardly anything passes through a single map."""

Places = tuple[int, ...]
"""Channels, by their place in the large network, in ascending order."""
Kept = tuple[Places, ...]
"""The filters kept of each convolution, in the order of the layers."""
Scores = Sequence[Sequence[float]]
"""What each filter of each convolution is worth, 0 or more; compared within a convolution only."""


def everything(architecture: Architecture) -> Kept:
    """All filters of all convolutions."""
    return tuple(tuple(range(layer.filters)) for layer in architecture.layers if isinstance(layer, Conv))


def slim(architecture: Architecture, kept: Kept) -> Architecture:
    """The architecture with only the `kept` filters; ValueError if it has no such filters or needs one that is not."""
    _check(architecture, kept)
    filters = map(len, kept)
    layers = (
        replace(layer, filters=next(filters)) if isinstance(layer, Conv) else layer for layer in architecture.layers
    )
    return Architecture(architecture.input, tuple(layers))


def _check(architecture: Architecture, kept: Kept) -> None:
    whole = everything(architecture)
    if len(kept) != len(whole):
        raise ValueError(f"filters must be kept of {len(whole)} convolutions, but got those of {len(kept)}")
    removable = _removable(architecture)
    for number, (places, filters) in enumerate(zip(kept, whole, strict=True)):
        if not places or sorted(set(places) & set(filters)) != list(places):
            raise ValueError(
                f"convolution {number} must keep some of its filters 0 to {len(filters) - 1}, in ascending order, "
                f"but got {places}"
            )
        if number not in removable and places != filters:
            raise ValueError(f"convolution {number} gives the classes and must keep all filters, but got {places}")


def _removable(architecture: Architecture) -> list[int]:
    """Numbers of the convolutions that may lose filters: those that feed another one or a dense layer."""
    weighted = [layer for layer in architecture.layers if isinstance(layer, (Conv, Linear))]
    return [number for number, layer in enumerate(weighted[:-1]) if isinstance(layer, Conv)]


def slim_to(architecture: Architecture, scores: Scores, parameters: int) -> tuple[Architecture, Kept]:
    """Take out one filter after the other until at most `parameters` are left; what is left, and the filters kept.

    The next to go is the one with the smallest share in what its convolution still has, for each parameter that goes
    with it: the fewer are left, the more each of them is worth. Down to a quarter of the parameters that keeps the
    convolutions in balance; far below, some are left very narrow.

    BudgetError where FEWEST filters in every convolution are still too many.
    """
    kept = everything(architecture)
    slimmed = architecture
    while slimmed.totals.parameters > parameters:
        shorter = _without_one(architecture, kept, scores)
        if shorter is None:
            raise BudgetError(
                f"filters alone can slim {write(architecture)} to {slimmed.totals.parameters} parameters at least, "
                f"but got {parameters}"
            )
        kept, slimmed = shorter, slim(architecture, shorter)
    return slimmed, kept


def _without_one(architecture: Architecture, kept: Kept, scores: Scores) -> Kept | None:
    """`kept` less the filter to go next; None where none may go."""
    before = slim(architecture, kept).totals.parameters
    best: tuple[float, Kept] | None = None
    for number in _removable(architecture):
        if len(kept[number]) > FEWEST:
            worst = min(kept[number], key=scores[number].__getitem__)
            rest = tuple(place for place in kept[number] if place != worst)
            shorter = (*kept[:number], rest, *kept[number + 1 :])
            gone = before - slim(architecture, shorter).totals.parameters
            loss = _share(scores[number], worst, kept[number]) / gone
            if best is None or loss < best[0]:
                best = loss, shorter
    return None if best is None else best[1]


def _share(scores: Sequence[float], place: int, places: Places) -> float:
    """Of one filter in what `places` are worth together; 0 where they are worth nothing."""
    return scores[place] / sum(scores[kept] for kept in places) if scores[place] else 0.0
