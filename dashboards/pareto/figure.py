"""The Pareto picture as a plotly figure and as a page of its own: the ink of `chart.Chart`."""

from __future__ import annotations

from html import escape
from math import log10
from typing import Any

import plotly.graph_objects as go

from dashboards.ink import figure_layout, labels
from dashboards.ink import page as pages
from dashboards.ink.drawing import LIGHT, text_width
from dashboards.ink.labels import Box, Label
from dashboards.pareto.chart import Chart
from dashboards.pareto.points import Cost, Kind, Point
from dashboards.pareto.style import GREY, Key, Style, accuracy_tick, cost_tick, facts, label, study_colour, styles
from dashboards.text import number, percent

_HOVER = "%{hovertext}<extra></extra>"
_PLANE = (1000.0, 420.0)
"""Width and height in pixels of the plot that labels are placed for."""
_BAND = "rgba(128,128,128,0.08)"


def figure(chart: Chart, *, is_labelled: bool = True) -> go.Figure:
    """The figure, in the light colours and without a title; for a small place without names beside its points."""
    made = go.Figure()
    for study in chart.studies:
        if chart.stairs(study.name):
            made.add_trace(_front(chart, study.name))
    sides = _sides(chart) if is_labelled else {}
    looks = styles(chart)
    for key, style in looks.items():
        made.add_trace(_series(chart, key, style, sides))
    if len(chart.studies) > 1:
        made.add_traces(_legend(looks))
    made.add_trace(_rings(chart, sides))
    made.add_traces(_targets(chart))
    if chart.cost == Cost.PARAMETERS:
        _add_budgets(made, chart)
    _lay_out(made, chart)
    return made


def page(chart: Chart) -> str:
    """A page that shows the figure without any other file or server, in light or dark, on wide and narrow screens."""
    names = ", ".join(study.name for study in chart.studies)
    return pages.page(figure(chart), f"{names}: accuracy by {chart.cost.axis_title}", chart.notes())


def _front(chart: Chart, study: str) -> go.Scatter:
    corners = chart.stairs(study)
    name = f"front of {study}" if len(chart.studies) > 1 else "front of the validation"
    return go.Scatter(
        x=[cost for cost, _ in corners],
        y=[error for _, error in corners],
        mode="lines",
        line={"color": study_colour(chart, study), "width": 2},
        name=escape(name),
        hoverinfo="skip",
    )


def _series(chart: Chart, key: Key, style: Style, sides: dict[Point, str]) -> go.Scatter:
    _, kind, epochs = key
    points = chart.shown[key]
    told = label(kind, epochs)
    return go.Scatter(
        x=[point.cost(chart.cost) for point in points],
        y=[chart.y.clip(point.error) for point in points],
        mode="markers+text" if kind.is_test else "markers",
        text=[escape(point.name) if point in sides else "" for point in points] if kind.is_test else None,
        textposition=[sides.get(point, "top center") for point in points] if kind.is_test else None,
        textfont={"size": 11},
        marker=_marker(style, style.colour),
        error_y=_bars(chart, points, style) if kind == Kind.VERIFIED else None,
        name=told,
        legendgroup=told,
        showlegend=len(chart.studies) == 1,
        hovertext=[_hover(point) for point in points],
        hovertemplate=_HOVER,
        meta="published" if kind == Kind.PUBLISHED else None,
    )


def _marker(style: Style, colour: str) -> dict[str, Any]:
    return {"symbol": style.symbol, "size": style.size, "color": colour, "line": {"width": 1.5, "color": colour}}


def _legend(looks: dict[Key, Style]) -> list[go.Scatter]:
    """An entry without points for what each kind means in all studies, whose colours those of the fronts explain."""
    symbols = {label(kind, epochs): style for (_, kind, epochs), style in looks.items()}
    return [
        go.Scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker=_marker(style, GREY),
            name=told,
            legendgroup=told,
        )
        for told, style in symbols.items()
    ]


def _bars(chart: Chart, points: list[Point], style: Style) -> dict[str, Any]:
    """Error bars, cut at the ends of the axis; accuracies' lower ends are the errors' upper ones."""
    reach = [point.interval or (point.accuracy, point.accuracy) for point in points]
    errors = [chart.y.clip(point.error) for point in points]
    return {
        "type": "data",
        "symmetric": False,
        "array": [chart.y.clip(1 - low) - error for (low, _), error in zip(reach, errors, strict=True)],
        "arrayminus": [error - chart.y.clip(1 - high) for (_, high), error in zip(reach, errors, strict=True)],
        "color": style.colour,
    }


def _rings(chart: Chart, sides: dict[Point, str]) -> go.Scatter:
    best = chart.best_shown
    return go.Scatter(
        x=[point.cost(chart.cost) for point in best],
        y=[chart.y.clip(point.error) for point in best],
        mode="markers+text",
        text=[point.name if point in sides else "" for point in best],
        textposition=[sides.get(point, "top center") for point in best],
        textfont={"size": 11},
        marker={"symbol": "circle-open", "size": 17, "color": LIGHT["ink"], "line": {"width": 1.5}},
        name="best within a budget",
        hoverinfo="skip",
        meta="ink",
    )


def _targets(chart: Chart) -> list[go.Scatter]:
    targets = sorted({study.target for study in chart.studies})
    return [
        _line([chart.x.low, chart.x.high], [chart.y.clip(1 - target)] * 2, f"target {percent(target)}")
        for target in targets
    ]


def _add_budgets(made: go.Figure, chart: Chart) -> None:
    """A line at each budget, and every second band between two of them shaded."""
    for place, band in enumerate(chart.bands):
        ends = [chart.y.low, chart.y.high]
        made.add_trace(_line([band.budget, band.budget], ends, f"budget {number(band.budget)}"))
        if place % 2 == 0:
            left = chart.x.clip(band.low or chart.x.low)
            made.add_vrect(x0=left, x1=band.budget, fillcolor=_BAND, line_width=0, layer="below")


def _line(x: list[float], y: list[float], name: str) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": LIGHT["ink"], "width": 1.2, "dash": "dash" if name.startswith("target") else "dot"},
        name=name,
        hovertemplate=f"{name}<extra></extra>",
        meta="ink",
    )


def _sides(chart: Chart) -> dict[Point, str]:
    """On which side of it the label of each best, verified and published network goes, where there is room for it."""
    width, height = _PLANE
    named = chart.named([Kind.VERIFIED, Kind.PUBLISHED])

    def pixels(point: Point) -> tuple[float, float]:
        across = chart.x.share(point.cost(chart.cost))
        return width * across, height * chart.y.share(chart.y.clip(point.error))

    wanted = [Label(*pixels(point), text_width(point.name, 11), 13) for point in named]
    everything = [pixels(point) for points in chart.shown.values() for point in points]
    found = labels.place(wanted, everything, Box(0, 0, width, height))
    return {point: side for point, side in zip(named, found, strict=True) if side is not None}


def _hover(point: Point) -> str:
    return "<br>".join(escape(line) for line in facts(point))


def _lay_out(made: go.Figure, chart: Chart) -> None:
    errors = [(error, accuracy_tick(error)) for error in chart.y.ticks()]
    costs = [(cost, cost_tick(cost)) for cost in chart.x.ticks()]
    figure_layout.lay_out(
        made,
        figure_layout.axis([log10(chart.x.low), log10(chart.x.high)], costs, is_logarithmic=True),
        figure_layout.axis([log10(chart.y.high), log10(chart.y.low)], errors, is_logarithmic=True),
        f"{chart.cost.axis_title} (logarithmic)",
        "accuracy (logarithmic error)",
    )
