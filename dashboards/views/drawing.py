"""A view as a sheet of shapes, for SVG and PNG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from dashboards.ink import captions
from dashboards.ink.captions import LINE, SMALL, TITLE, Entry
from dashboards.ink.drawing import Line, Place, Polygon, Shape, Sheet, Text, marker, text_width
from dashboards.ink.hatching import hatched
from dashboards.ink.labels import Box
from dashboards.views.view import Band, Bars, Curve, Series, Values, View

WIDTH = 1000
"""Pixels."""
_LEFT, _RIGHT, _TOP = 64.0, 20.0, 58.0
_BAND = "grid"
"""The colour of a band: that of the lines of the grid."""


def draw(view: View, width: int = WIDTH) -> Sheet:
    """The sheet; as high as what is written below the plot makes it."""
    frame = _Frame(view, width)
    entries = _entries(view)
    legend, below = captions.legend(entries, width, frame.bottom + 56)
    notes, end = captions.notes(view.notes, width, below if entries else frame.bottom + 50)
    drawn = [shape for series in view.series for shape in _shapes(frame, series)]
    return Sheet(width, round(end), (*_title(frame), *_grid(frame), *drawn, *legend, *notes))


@dataclass(frozen=True)
class _Frame:
    """Where on the sheet the plot is."""

    view: View
    width: int

    @cached_property
    def left(self) -> float:
        widest = max((text_width(tick.text, SMALL) for tick in self.view.y.ticks), default=0.0)
        return max(_LEFT, widest + 14)

    @property
    def right(self) -> float:
        return self.width - _RIGHT

    @property
    def top(self) -> float:
        return _TOP + LINE * (len(self.title) - 1)

    @cached_property
    def bottom(self) -> float:
        return self.top + max(300.0, 0.5 * self.width)

    @cached_property
    def title(self) -> list[str]:
        return captions.fitted(self.view.title, self.width - 32, TITLE)

    def x(self, value: float) -> float:
        return self.left + self.view.x.share(value) * (self.right - self.left)

    def y(self, value: float) -> float:
        return self.bottom - self.view.y.share(value) * (self.bottom - self.top)


def _title(frame: _Frame) -> list[Shape]:
    upright = Text((16, frame.top - 12), frame.view.y.title, SMALL, colour="faint")
    return [*captions.title(frame.title), *([upright] if upright.text else [])]


def _grid(frame: _Frame) -> list[Shape]:
    shapes: list[Shape] = []
    for tick in frame.view.y.ticks:
        y = frame.y(tick.value)
        shapes.append(Line(((frame.left, y), (frame.right, y)), "grid"))
        shapes.append(Text((frame.left - 6, y + 4), tick.text, SMALL, "end"))
    for tick in frame.view.x.ticks:
        x = frame.x(tick.value)
        shapes.append(Line(((x, frame.top), (x, frame.bottom)), "grid"))
        shapes.append(Text((x, frame.bottom + 15), tick.text, SMALL, "middle"))
    shapes.append(Text((frame.right, frame.bottom + 32), frame.view.x.title, SMALL, "end", "faint"))
    if not frame.view.series:
        middle = ((frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2)
        shapes.append(Text(middle, "nothing to draw yet", 13, "middle", "faint", halo=True))
    return shapes


def _shapes(frame: _Frame, series: Series) -> list[Shape]:
    match series:
        case Curve():
            return _curve(frame, series)
        case Band():
            return [_band(frame, series)]
        case Bars():
            return _bars(frame, series)


def _curve(frame: _Frame, curve: Curve) -> list[Shape]:
    shapes: list[Shape] = []
    runs = list(_runs(frame, curve.x, curve.y))
    if curve.width:
        shapes += [Line(tuple(run), curve.colour, curve.width, curve.dashed) for run in runs if len(run) > 1]
    if curve.symbol:
        shapes += [marker(curve.symbol, place, curve.size, curve.colour) for run in runs for place in run]
    return shapes


def _runs(frame: _Frame, x: Values, y: Values) -> Iterator[list[Place]]:
    """The places between gaps."""
    places = [
        None if across is None or up is None else (frame.x(across), frame.y(up))
        for across, up in zip(x, y, strict=True)
    ]
    for is_gap, run in groupby(places, lambda place: place is None):
        if not is_gap:
            yield [place for place in run if place is not None]


def _band(frame: _Frame, band: Band) -> Polygon:
    there = [(frame.x(x), frame.y(low)) for x, low in zip(band.x, band.low, strict=True)]
    back = [(frame.x(x), frame.y(high)) for x, high in zip(band.x, band.high, strict=True)]
    return Polygon((*there, *reversed(back)), _BAND)


def _bars(frame: _Frame, bars: Bars) -> list[Shape]:
    shapes: list[Shape] = []
    for left, right, low, high in zip(bars.left, bars.right, bars.low, bars.high, strict=True):
        across, down = sorted((frame.x(left), frame.x(right))), sorted((frame.y(low), frame.y(high)))
        box = Box(across[0], down[0], across[1], down[1])
        shapes += [captions.rectangle(box, bars.colour), *hatched(box, bars.hatch)]
    return shapes


def _entries(view: View) -> list[Entry]:
    """One for each name: the looks of all series that have it, put together."""
    found: dict[str, Entry] = {}
    for series in (series for series in view.series if series.name):
        entry = _entry(series)
        known = found.get(series.name)
        found[series.name] = entry if known is None else _joined(known, entry)
    return list(found.values())


def _entry(series: Series) -> Entry:
    match series:
        case Curve():
            return Entry(
                text=series.name,
                colour=series.colour,
                symbol=series.symbol,
                width=series.width,
                dashed=series.dashed,
            )
        case Band():
            return Entry(text=series.name, colour=_BAND, is_surface=True)
        case Bars():
            return Entry(text=series.name, colour=series.colour, is_surface=True, hatch=series.hatch)


def _joined(one: Entry, other: Entry) -> Entry:
    return replace(one, symbol=one.symbol or other.symbol, width=max(one.width, other.width))
