"""What is written around a plot on a sheet: texts in lines that fit, and the legend in rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboards.ink.drawing import Line, Polygon, Shape, Text, marker, text_width
from dashboards.ink.hatching import hatched
from dashboards.ink.labels import Box
from dashboards.pareto.style import wrapped

LEFT = 16.0
"""Where texts begin, pixels."""
SMALL, LINE = 11.0, 16.0
"""Height of small letters, and of a line of them, pixels."""
TITLE = 15.0
"""Height of a title's letters, pixels."""
_ROW = 20.0
_SAMPLE = 16.0
"""Pixels of what stands before a legend's text."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A legend's text and the look that it explains: a line, a symbol, both, or a surface."""

    text: str
    colour: str
    symbol: str = ""
    width: float = 0.0
    """Of the line, pixels."""
    dashed: bool = False
    is_surface: bool = False
    hatch: str = ""

    def shapes(self, x: float, y: float) -> list[Shape]:
        """The sample that begins at x, with its middle at the height y."""
        shapes: list[Shape] = []
        if self.is_surface:
            box = Box(x, y - 5, x + _SAMPLE, y + 5)
            shapes += [rectangle(box, self.colour), *hatched(box, self.hatch)]
        if self.width:
            shapes.append(Line(((x, y), (x + _SAMPLE, y)), self.colour, self.width, self.dashed))
        if self.symbol:
            shapes.append(marker(self.symbol, (x + _SAMPLE / 2, y), 10, self.colour))
        return shapes


def rectangle(box: Box, colour: str) -> Polygon:
    """All of a box."""
    left, top, right, bottom = box
    return Polygon(((left, top), (right, top), (right, bottom), (left, bottom)), colour)


def fitted(text: str, width: float, size: float) -> list[str]:
    """A text in lines of at most `width` pixels, broken between words."""
    *words, last = text.split(" ")
    return wrapped((f"{word} " for word in words), int(width / text_width("x", size)), last)


def title(lines: Sequence[str]) -> list[Shape]:
    """At the top of the sheet; the last baseline is 24 pixels below the top and 16 further for each further line."""
    return [Text((LEFT, 24 + LINE * row), line, TITLE) for row, line in enumerate(lines)]


def legend(entries: Iterable[Entry], width: float, top: float) -> tuple[list[Shape], float]:
    """The rows on a sheet of this width, the first baseline at `top`; and where the next row would be."""
    shapes: list[Shape] = []
    x, y = LEFT, top
    for entry in entries:
        wide = _SAMPLE + 8 + text_width(entry.text, 12) + 14
        if x > LEFT and x + wide > width:
            x, y = LEFT, y + _ROW
        shapes += [*entry.shapes(x, y - 4), Text((x + _SAMPLE + 6, y), entry.text)]
        x += wide
    return shapes, y + _ROW


def notes(texts: Iterable[str], width: float, top: float) -> tuple[list[Shape], float]:
    """The texts below each other on a sheet of this width, below `top`; and where they end."""
    lines = [line for text in texts for line in fitted(text, width - 2 * LEFT, SMALL)]
    shapes: list[Shape] = [
        Text((LEFT, top + 6 + LINE * row), line, SMALL, colour="faint") for row, line in enumerate(lines)
    ]
    return shapes, top + 12 + LINE * len(lines)
