"""The picture of a network: its layers from the image down to the classes, with what each puts out and costs.

A box is what a layer puts out, seen from the side: as long as it has channels, as high and as deep as its maps. All
boxes of a picture are to one scale, but that none is thinner than can be seen and flat features are broken off where
there is no more room.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate

from dashboards.ink.drawing import Line, Place, Polygon, Shape, Sheet, Text, text_width
from dashboards.pareto.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY
from dashboards.text import number
from space.architecture import Architecture
from space.layers import Layer, describe
from space.layers import Shape as Output

WIDTH = 720
"""Pixels."""
_NARROW = 560
"""Below this width costs stand below a layer's name and not beside it."""
_SIDE, _LENGTH = 34.0, 92.0
"""Of the largest map and of the most channels, pixels."""
_THICKEST, _THINNEST = 4.0, 3.0
"""Of a channel at most, of a box at least; pixels."""
_FINEST = 2.0
"""Of a channel, for lines between channels; pixels."""
_SLANT = 0.36
"""Pixels to the right and up for each pixel that a box is deep."""
_TOP, _MARGIN = 44.0, 14.0
_LARGE, _SMALL = 14.0, 11.0
_BAR = 9.0
_COLOURS = {"conv": SKY, "depthwise_conv": SKY, "max_pool": ORANGE, "global_average_pool": PURPLE, "linear": GREEN}
"""By kind of layer; all others are grey."""
_PARAMETERS, _MACS = BLUE, ORANGE


@dataclass(frozen=True)
class Group:
    """A layer and those attached to it in the notation, such as a convolution with its batch norm and ReLU."""

    layers: tuple[Layer, ...]
    shape: Output
    """What the last of them puts out."""
    parameters: int
    macs: int

    @property
    def token(self) -> str:
        """As the notation writes it."""
        return "".join(layer.token() for layer in self.layers)


def groups(architecture: Architecture) -> list[Group]:
    """All layers in order; the groups' costs add up to the network's."""
    found: list[Group] = []
    for row in architecture.rows():
        new = Group((row.layer,), row.shape, row.parameters, row.macs)
        if found and not row.layer.leads:
            before = found.pop()
            costs = (before.parameters + row.parameters, before.macs + row.macs)
            new = Group((*before.layers, row.layer), row.shape, *costs)
        found.append(new)
    return found


def wording(layer: Layer) -> str:
    """A layer in words: `conv, filters 8, kernel 3, padding 1`; what is off or 0 is left out."""
    values = [(field.name, getattr(layer, field.name)) for field in fields(layer)]
    told = [name if value is True else f"{name} {value}" for name, value in values if value]
    return ", ".join([layer.kind.replace("_", " "), *told])


def draw(architecture: Architecture, width: int = WIDTH) -> Sheet:
    """The sheet; as high as the layers make it."""
    page = _Page(architecture, width)
    tops = list(accumulate([page.height_of(shape) for shape in page.shapes], initial=_TOP))
    shapes = [*_headings(page), *_flow(page, tops), *_row(page, tops[0], architecture.input)]
    for group, top in zip(page.groups, tops[1:], strict=False):
        shapes += _row(page, top, group.shape, group)
    totals, end = _totals(page, tops[-1])
    return Sheet(width, round(end), (*shapes, *totals))


class _Page:
    """Where on the sheet things are, and how large."""

    def __init__(self, architecture: Architecture, width: int) -> None:
        self.architecture = architecture
        self.groups = groups(architecture)
        self.shapes = [architecture.input, *(group.shape for group in self.groups)]
        self.width = width
        self.is_narrow = width < _NARROW
        maps = [shape for shape in self.shapes if len(shape) == 3]
        self.pixel = _SIDE / max(max(shape[1:]) for shape in maps)
        """Length on the sheet of a pixel of a map."""
        self.room = _LENGTH if not self.is_narrow else 0.6 * _LENGTH
        self.channel = min(_THICKEST, self.room / max(shape[0] for shape in maps))
        """Length on the sheet of a channel."""
        self.axis = _MARGIN + self.room / 2
        self.left = _MARGIN + self.room + _SLANT * _SIDE + 14
        """Where texts begin."""
        self.right = width - _MARGIN

    def size(self, shape: Output) -> tuple[float, float, float]:
        """Length, height and depth of a box."""
        channels, height, deep = (*shape, 1, 1)[:3]
        length = min(max(channels * self.channel, _THINNEST), self.room)
        return length, max(height * self.pixel, _THINNEST), max(deep * self.pixel, _THINNEST)

    def height_of(self, shape: Output) -> float:
        """Of a row."""
        _, height, deep = self.size(shape)
        return max(height + _SLANT * deep + 14, 74.0 if self.is_narrow else 56.0)

    @property
    def costs(self) -> tuple[float, float, float]:
        """Where the bars of parameters and those of MACs begin, and the room for a bar and its number."""
        room = (self.right - self.left - 12) / 2 if self.is_narrow else 0.19 * self.width
        return self.right - 2 * room - 12, self.right - room, room

    @property
    def shape_right(self) -> float:
        """Where the shapes that are put out end."""
        return self.right if self.is_narrow else self.costs[0] - 18


def _headings(page: _Page) -> list[Shape]:
    parameters, macs, _ = page.costs
    shapes: list[Shape] = [Text((_MARGIN, 20), "output", _SMALL, colour="faint")]
    if not page.is_narrow:
        shapes.append(Text((page.left, 20), "layer", _SMALL, colour="faint"))
        shapes.append(Text((page.shape_right, 20), "C x H x W", _SMALL, "end", "faint"))
    for left, colour, text in ((parameters, _PARAMETERS, "parameters"), (macs, _MACS, "MACs")):
        shapes += [_box(left, 12, 8, 8, colour), Text((left + 12, 20), text, _SMALL, colour="faint")]
    return [*shapes, Line(((_MARGIN, 28), (page.right, 28)), "grid")]


def _flow(page: _Page, tops: Sequence[float]) -> list[Shape]:
    """The line that leads through all boxes."""
    ends = [top + page.height_of(shape) / 2 for top, shape in zip(tops, page.shapes, strict=False)]
    return [Line(((page.axis, ends[0]), (page.axis, ends[-1])), "faint")]


def _row(page: _Page, top: float, shape: Output, group: Group | None = None) -> list[Shape]:
    """What is put out, and the layers that do it; without any it is the image."""
    middle = top + page.height_of(shape) / 2
    kind = group.layers[0].kind if group else ""
    boxes = _solid(page, (page.axis, middle), shape, _COLOURS.get(kind, GREY))
    lines = [wording(group.layers[0]), " + ".join(map(wording, group.layers[1:]))] if group else ["image"]
    shown = [line for line in lines if line]
    first = middle + 5 - 7.5 * len(shown) - (9 if page.is_narrow and group else 0)
    shapes = [
        *boxes,
        Text((page.left, first), group.token if group else "input", _LARGE),
        Text((page.shape_right, first), describe(shape), 12, "end"),
    ]
    shapes += [Text((page.left, first + 16 + 14 * row), line, _SMALL, colour="faint") for row, line in enumerate(shown)]
    if group is not None:
        shapes += _costs(page, group, first + 19 + 14 * len(shown) if page.is_narrow else first)
    return shapes


def _costs(page: _Page, group: Group, baseline: float) -> Iterator[Shape]:
    """Bars, the longest as long as there is room beside its number; none where there is no cost."""
    parameters, macs, room = page.costs
    most_parameters = max(group.parameters for group in page.groups)
    most_macs = max(group.macs for group in page.groups)
    for left, count, most, colour in (
        (parameters, group.parameters, most_parameters, _PARAMETERS),
        (macs, group.macs, most_macs, _MACS),
    ):
        if count:
            longest = room - 1.2 * text_width(number(most), _SMALL) - 5
            length = max(1.0, longest * count / most)
            yield _box(left, baseline - _BAR, length, _BAR, colour)
            yield Text((left + length + 5, baseline), number(count), _SMALL)


def _totals(page: _Page, top: float) -> tuple[list[Shape], float]:
    """The network's costs, and where they end."""
    totals = page.architecture.totals
    facts = [
        f"{number(totals.parameters)} parameters",
        f"{number(totals.macs)} MACs an image",
        f"peak activations {number(totals.peak_activation_bytes)} bytes (float32)",
        f"receptive field {totals.receptive_field} x {totals.receptive_field} pixels",
    ]
    lines = facts if page.is_narrow else [", ".join(facts[:2]), ", ".join(facts[2:])]
    left = _MARGIN + 52 if page.is_narrow else page.left
    shapes: list[Shape] = [
        Line(((_MARGIN, top + 4), (page.right, top + 4)), "grid"),
        Text((_MARGIN, top + 24), "total", _LARGE),
    ]
    for row, line in enumerate(lines):
        colour, size = ("ink", 12.0) if row < len(lines) / 2 else ("faint", _SMALL)
        shapes.append(Text((left, top + 24 + 17 * row), line, size, colour=colour))
    return shapes, top + 24 + 17 * len(lines)


def _solid(page: _Page, middle: Place, shape: Output, colour: str) -> list[Shape]:
    """A box with its front around `middle`, and a line between any two channels where there is room for lines."""
    length, height, deep = page.size(shape)
    slant = _SLANT * deep
    left, top = middle[0] - length / 2, middle[1] - (height - slant) / 2
    right, bottom = left + length, top + height
    faces: list[Shape] = [
        Polygon(((left, top), (right, top), (right, bottom), (left, bottom)), colour),
        Polygon(
            ((left, top), (left + slant, top - slant), (right + slant, top - slant), (right, top)), _mixed(colour, 255)
        ),
        Polygon(
            ((right, top), (right + slant, top - slant), (right + slant, bottom - slant), (right, bottom)),
            _mixed(colour, 0),
        ),
    ]
    whole = shape[0] * page.channel
    if whole > length + _THINNEST:
        x = right - 9
        faces.append(Line(((x, bottom + 1), (x + slant + 4, top - slant - 1)), "paper", 3))
    elif page.channel >= _FINEST:
        for place in range(1, shape[0]):
            x = left + place * length / shape[0]
            faces.append(Line(((x, bottom), (x, top), (x + slant, top - slant)), _mixed(colour, 0), 0.6))
    return faces


def _box(left: float, top: float, width: float, height: float, colour: str) -> Polygon:
    return Polygon(((left, top), (left + width, top), (left + width, top + height), (left, top + height)), colour)


def _mixed(colour: str, other: int, share: float = 0.35) -> str:
    """A colour with a share of white (255) or black (0) in it."""
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round((1 - share) * part + share * other):02X}" for part in parts)
