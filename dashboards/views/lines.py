"""Many lines of a view as one series, and how many there may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dashboards.text import number
from dashboards.views.view import Curve

MOST_LINES = 60
"""In a picture, so that they can be told apart."""
THIN, THICK = 1.2, 3.0
"""Widths of all lines, and of the best candidate's."""


class Line(NamedTuple):
    """One line through some places, and what is told at each of them."""

    x: Sequence[float]
    y: Sequence[float]
    told: str


def together(name: str, lines: Sequence[Line], colour: str, symbol: str, width: float = THIN) -> Curve:
    """All lines as one series, with a gap before each but the first."""
    x: list[float | None] = []
    y: list[float | None] = []
    hovers: list[str] = []
    for line in lines:
        gap = [None] if x else []
        x += [*gap, *line.x]
        y += [*gap, *line.y]
        hovers += [*("" for _ in gap), *(line.told for _ in line.x)]
    return Curve(
        name=name,
        x=tuple(x),
        y=tuple(y),
        colour=colour,
        symbol=symbol,
        size=6,
        width=width,
        hovers=tuple(hovers),
    )


def drawn_note(drawn: int, count: int) -> list[str]:
    """That only the first of the candidates are drawn, where that is so."""
    told = f"Drawn are {number(drawn)} of {number(count)} candidates: the longest trained, and of these the best."
    return [told] if drawn < count else []
