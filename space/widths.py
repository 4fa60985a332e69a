"""The filters of a network's convolutions as numbers that may change, while everything else of it stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import mul

from space.drawing import FILTERS, is_growth
from space.layers import Conv, Layer, Shape
from space.ranges import Choices, Range, Value
from space.search_space import SearchSpace

Filters = tuple[int, ...]
"""Of each convolution whose filters are chosen, in the order of the layers."""


@dataclass(frozen=True)
class _Width:
    """What the filters of one convolution may be."""

    name: str
    """The range that they are chosen from."""
    place: int
    """Among the layers."""
    low: int
    high: int
    growth: tuple[int, int] | None
    """Least and most growth over the convolution before; None where they are chosen on their own."""


class Widths:
    """Those of the network that some choices describe; a growth counts as the filters that it comes to."""

    def __init__(self, space: SearchSpace, choices: Choices) -> None:
        drawing = space.drawing(choices)
        layers = drawing.architecture().layers
        ranges = {found.name: found for found in space.dimensions if isinstance(found, Range)}
        self._choices = choices
        self._widths = [_width(ranges[name], place) for name, place in drawing.chosen.items()]
        self._count = _Count(space.image, layers, [width.place for width in self._widths])
        self.asked: Filters = self._count.filters
        """What the choices come to."""
        self.lowest = self.within([width.low for width in self._widths])
        """The fewest of each, which they may all have at once."""
        self.highest = self.within([width.high for width in self._widths])
        """The most of each, which they may all have at once."""

    def within(self, filters: Sequence[int]) -> Filters:
        """The most that the ranges allow of which none exceeds `filters`, which are not below the lowest.

        Least and most growth bind neighbours only, so that a look back and a look ahead settle all of them.
        """
        found = [min(width.high, most) for width, most in zip(self._widths, filters, strict=True)]
        for place in range(len(found) - 1, 0, -1):
            if (growth := self._widths[place].growth) is not None:
                found[place - 1] = min(found[place - 1], found[place] - growth[0])
        for place in range(1, len(found)):
            if (growth := self._widths[place].growth) is not None:
                found[place] = min(found[place], found[place - 1] + growth[1])
        return tuple(found)

    def parameters(self, filters: Filters) -> int:
        """Trainable parameters with these filters."""
        return self._count.parameters(filters)

    def choices(self, filters: Filters) -> dict[str, Value]:
        """The choices with these filters; what the network does not use stays as it was asked."""
        found = dict(self._choices)
        for place, width in enumerate(self._widths):
            before = filters[place - 1] if width.growth is not None else 0
            found[width.name] = filters[place] - before
        return found


def _width(chosen_from: Range, place: int) -> _Width:
    low, high = chosen_from.ends
    if is_growth(chosen_from.name):
        return _Width(chosen_from.name, place, *FILTERS, growth=(low, high))
    return _Width(chosen_from.name, place, low, high, growth=None)


class _Count:
    """The parameters of a network by the filters of some of its convolutions.

    A number of filters is a factor in the weights of its own convolution, and of what reads its map, and in nothing
    else: so the count is a constant, a share of each number, and a share of each product of neighbours.
    """

    def __init__(self, image: Shape, layers: Sequence[Layer], places: Sequence[int]) -> None:
        convs = [layer for place in places if isinstance(layer := layers[place], Conv)]
        self.filters = tuple(conv.filters for conv in convs)
        """As they are."""
        self._image = image
        self._layers = list(layers)
        self._two = {place: replace(conv, filters=2) for place, conv in zip(places, convs, strict=True)}
        for place, conv in zip(places, convs, strict=True):
            self._layers[place] = replace(conv, filters=1)
        self._least = self._with_two()
        self._alone = [self._with_two(place) - self._least for place in places]
        self._together = [
            self._with_two(*pair) - self._least - sum(alone)
            for pair, alone in zip(pairwise(places), pairwise(self._alone), strict=True)
        ]

    def _with_two(self, *places: int) -> int:
        """Parameters with two filters in these convolutions, and one in the others."""
        total, shape = 0, self._image
        for place, layer in enumerate(self._layers):
            chosen = self._two[place] if place in places else layer
            total += chosen.parameters(shape)
            shape = chosen.output(shape)
        return total

    def parameters(self, filters: Filters) -> int:
        """Trainable parameters with these filters."""
        more = [number - 1 for number in filters]
        alone: int = sum(map(mul, self._alone, more))
        together: int = sum(map(mul, self._together, map(mul, more, more[1:])))
        return self._least + alone + together
