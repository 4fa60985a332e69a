"""A picture as numbers: two scales with their ticks, series of values and notes, for any ink to draw."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import log
from typing import Any, NamedTuple

Values = tuple[float | None, ...]
"""None interrupts a line: what follows is another one of the same series."""
Hovers = tuple[str, ...]
"""What is known of each place, in lines; empty where there is nothing to tell."""


class Tick(NamedTuple):
    """A value of a scale and what is written beside it."""

    value: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Scale:
    """One axis; low < high, and both above 0 where it is logarithmic."""

    title: str
    low: float
    high: float
    ticks: tuple[Tick, ...] = ()
    is_logarithmic: bool = False
    is_reversed: bool = False
    """Whether the low end is on the right or at the top."""

    def clip(self, value: float) -> float:
        """`value`, or the end that is nearest to it."""
        return min(max(value, self.low), self.high)

    def share(self, value: float) -> float:
        """How far along the axis `value` lies: 0 on the left or at the bottom, 1 at the other end, also beyond them."""
        inside = self.clip(value)
        if self.is_logarithmic:
            along = log(inside / self.low) / log(self.high / self.low)
        else:
            along = (inside - self.low) / (self.high - self.low)
        return 1 - along if self.is_reversed else along


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Places that are joined by lines, marked by symbols, or both."""

    name: str
    """Series of one name have one entry in a legend, those whose name is empty have none."""
    x: Values
    y: Values
    colour: str
    """`#RRGGBB`, or `ink` for what text is written in."""
    symbol: str = ""
    """As in `pareto_style.Style`; no symbols where it is empty."""
    size: float = 8.0
    """Of a symbol, in pixels."""
    width: float = 0.0
    """Of the line, in pixels; no line where it is 0."""
    dashed: bool = False
    hovers: Hovers = ()


@dataclass(frozen=True, kw_only=True)
class Band:
    """What lies between two lines, shaded."""

    name: str
    x: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Rectangles that are not turned, by their edges."""

    name: str
    left: tuple[float, ...]
    right: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    colour: str
    hatch: str = ""
    """Lines across it: `/`, `\\`, `-`, or `x` for both slants; none where it is empty."""
    hovers: Hovers = ()


Series = Curve | Band | Bars


@dataclass(frozen=True, kw_only=True)
class View:
    """One picture of one study."""

    name: str
    title: str
    x: Scale
    y: Scale
    series: tuple[Series, ...] = ()
    """In the order in which they are drawn; none where there is nothing to draw yet."""
    notes: tuple[str, ...] = ()
    """What a reader has to know besides the picture."""

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        series = [{"form": type(one).__name__.lower()} | asdict(one) for one in self.series]
        return {
            "name": self.name,
            "title": self.title,
            "x": _scale_row(self.x),
            "y": _scale_row(self.y),
            "series": series,
            "notes": list(self.notes),
        }


def _scale_row(scale: Scale) -> dict[str, Any]:
    return asdict(scale) | {"ticks": [tick._asdict() for tick in scale.ticks]}
