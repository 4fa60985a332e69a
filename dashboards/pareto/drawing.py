"""The Pareto picture as a sheet of shapes, for SVG and PNG: the ink of `chart.Chart`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dashboards.ink import captions, labels
from dashboards.ink.captions import LINE, SMALL, TITLE, Entry
from dashboards.ink.drawing import Line, Place, Shape, Sheet, Text, marker, text_width
from dashboards.ink.labels import Box, Label
from dashboards.pareto.chart import Chart
from dashboards.pareto.points import Cost, Kind, Point
from dashboards.pareto.style import accuracy_tick, cost_tick, label, study_colour, styles
from dashboards.text import percent

WIDTH = 1000
"""Pixels."""
_LEFT, _RIGHT, _TOP = 64.0, 20.0, 58.0
_NARROW = 600
"""Below this width only the best are labelled, not the published networks."""


def draw(chart: Chart, width: int = WIDTH) -> Sheet:
    """The sheet; as high as what is written below the plot makes it."""
    frame = _Frame(chart, width)
    legend, below = captions.legend(_legend(chart), width, frame.bottom + 56)
    notes, end = captions.notes(chart.notes(), width, below)
    shapes = [*_grid(frame), *_lines(frame), *_fronts(frame), *_points(frame), *_labels(frame), *legend, *notes]
    return Sheet(width, round(end), (*_title(frame), *shapes))


@dataclass(frozen=True)
class _Frame:
    """Where on the sheet the plot is."""

    chart: Chart
    width: int

    @property
    def right(self) -> float:
        return self.width - _RIGHT

    @property
    def top(self) -> float:
        return _TOP + LINE * (len(self.title) - 1)

    @cached_property
    def bottom(self) -> float:
        return self.top + max(300.0, 0.52 * self.width)

    @cached_property
    def title(self) -> list[str]:
        names = ", ".join(study.name for study in self.chart.studies)
        return captions.fitted(f"{names}: accuracy by {self.chart.cost.axis_title}", self.width - 32, TITLE)

    def x(self, cost: float) -> float:
        return _LEFT + self.chart.x.share(cost) * (self.right - _LEFT)

    def y(self, error: float) -> float:
        """Small errors are at the top; those beyond the axis are on its ends."""
        return self.top + self.chart.y.share(self.chart.y.clip(error)) * (self.bottom - self.top)

    def place(self, point: Point) -> Place:
        return self.x(point.cost(self.chart.cost)), self.y(point.error)

    @property
    def box(self) -> Box:
        return Box(_LEFT, self.top, self.right, self.bottom)


def _title(frame: _Frame) -> list[Shape]:
    what = "accuracy (scale of the error, logarithmic)"
    return [*captions.title(frame.title), Text((16, frame.top - 12), what, SMALL, colour="faint")]


def _grid(frame: _Frame) -> list[Shape]:
    chart, shapes = frame.chart, list[Shape]()
    if chart.cost == Cost.PARAMETERS:
        for place, band in enumerate(chart.bands):
            left, right = frame.x(chart.x.clip(band.low or chart.x.low)), frame.x(band.budget)
            box = Box(left, frame.top, right, frame.bottom)
            shapes += [captions.rectangle(box, "band")] if place % 2 == 0 else []
    for error in chart.y.ticks():
        y = frame.y(error)
        shapes.append(Line(((_LEFT, y), (frame.right, y)), "grid"))
        shapes.append(Text((_LEFT - 6, y + 4), accuracy_tick(error), SMALL, "end"))
    for cost in chart.x.ticks():
        x = frame.x(cost)
        shapes.append(Line(((x, frame.top), (x, frame.bottom)), "grid"))
        shapes.append(Text((x, frame.bottom + 15), cost_tick(cost), SMALL, "middle"))
    title = f"{chart.cost.axis_title} (logarithmic)"
    return [*shapes, Text((frame.right, frame.bottom + 32), title, SMALL, "end", "faint")]


def _lines(frame: _Frame) -> list[Shape]:
    """Targets and budgets."""
    chart, shapes = frame.chart, list[Shape]()
    for target in sorted({study.target for study in chart.studies}):
        y = frame.y(1 - target)
        shapes.append(Line(((_LEFT, y), (frame.right, y)), "ink", 1.2, dashed=True))
        shapes.append(Text((_LEFT + 5, y - 4), f"target {percent(target)}", SMALL, halo=True))
    if chart.cost == Cost.PARAMETERS:
        shapes += _budgets(frame)
    return shapes


def _budgets(frame: _Frame) -> list[Shape]:
    """A line for each, and its number to the left of it, in a row of its own where it would reach the one before."""
    shapes: list[Shape] = []
    before, row = frame.box.left, 0
    for place, band in enumerate(frame.chart.bands):
        x = frame.x(band.budget)
        text = f"{'' if place else 'budget '}{cost_tick(band.budget)}"
        row = row + 1 if x - before < text_width(text, SMALL) + 6 else 0
        before = x
        shapes.append(Line(((x, frame.top), (x, frame.bottom)), "ink", 1.2, dashed=True))
        shapes.append(Text((x - 4, frame.bottom - 6 - 13 * row), text, SMALL, "end", halo=True))
    return shapes


def _fronts(frame: _Frame) -> list[Shape]:
    chart = frame.chart
    return [
        Line(tuple((frame.x(cost), frame.y(error)) for cost, error in chart.stairs(name)), study_colour(chart, name), 2)
        for name in chart.fronts
    ]


def _points(frame: _Frame) -> list[Shape]:
    shapes: list[Shape] = []
    for key, style in styles(frame.chart).items():
        for point in frame.chart.shown[key]:
            x, y = frame.place(point)
            if point.interval is not None:
                low, high = (frame.y(1 - end) for end in point.interval)
                shapes.append(Line(((x, low), (x, high)), style.colour, 1.5))
                shapes += [Line(((x - 4, end), (x + 4, end)), style.colour, 1.5) for end in (low, high)]
            shapes.append(marker(style.symbol, (x, y), style.size, style.colour))
    return shapes


def _labels(frame: _Frame) -> list[Shape]:
    """Rings around the best, and the names of these, of verified and of published networks where there is room."""
    chart = frame.chart
    named = chart.named([Kind.VERIFIED, Kind.PUBLISHED] if frame.width >= _NARROW else [Kind.VERIFIED])
    rings: list[Shape] = [marker("circle-open", frame.place(point), 17, "ink") for point in chart.best_shown]
    sides = labels.place(
        [Label(*frame.place(point), text_width(point.name, SMALL), 12) for point in named],
        [frame.place(point) for points in chart.shown.values() for point in points],
        frame.box,
    )
    texts = [_label(frame, point, side) for point, side in zip(named, sides, strict=True) if side is not None]
    return [*rings, *texts]


def _label(frame: _Frame, point: Point, side: str) -> Shape:
    box = Label(*frame.place(point), text_width(point.name, SMALL), 12).box(side)
    colour = "faint" if point.kind == Kind.PUBLISHED else "ink"
    return Text(((box.left + box.right) / 2, box.bottom - 2), point.name, SMALL, "middle", colour, halo=True)


def _legend(chart: Chart) -> list[Entry]:
    """Symbols, fronts and rings with what they mean."""
    several = len(chart.studies) > 1
    entries = [
        Entry(
            text=f"front of {study.name}" if several else "front of the validation",
            colour=study_colour(chart, study.name),
            width=2,
        )
        for study in chart.studies
        if chart.stairs(study.name)
    ]
    looks = {(kind, epochs): style for (_, kind, epochs), style in styles(chart).items()}
    for (kind, epochs), style in looks.items():
        own = several and kind != Kind.PUBLISHED
        entries.append(Entry(text=label(kind, epochs), colour="ink" if own else style.colour, symbol=style.symbol))
    if chart.best_shown:
        entries.append(Entry(text="best within a budget", colour="ink", symbol="circle-open"))
    return entries
