"""Lines across a surface, which tell it from others without its colour."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor

from dashboards.ink.drawing import Line, Place
from dashboards.ink.labels import Box

_STEP = 8
"""Pixels from one line to the next, across or down."""


def hatched(box: Box, hatch: str) -> list[Line]:
    """The lines of a hatch, as `view.Bars` has it, within a box; those of neighbours continue each other."""
    pieces = [piece for kind in {"x": "/\\"}.get(hatch, hatch) for piece in _pieces(box, kind)]
    return [Line(piece, "paper") for piece in pieces]


def _pieces(box: Box, kind: str) -> Iterator[tuple[Place, Place]]:
    left, top, right, bottom = box
    match kind:
        case "-":
            yield from (((left, y), (right, y)) for y in _steps(top, bottom))
        case "/":
            for total in _steps(left + top, right + bottom):
                begin, end = max(left, total - bottom), min(right, total - top)
                yield (begin, total - begin), (end, total - end)
        case "\\":
            for ahead in _steps(left - bottom, right - top):
                begin, end = max(left, ahead + top), min(right, ahead + bottom)
                yield (begin, begin - ahead), (end, end - ahead)


def _steps(low: float, high: float) -> range:
    """The multiples of the step between both."""
    return range(_STEP * (floor(low / _STEP) + 1), _STEP * ceil(high / _STEP), _STEP)
