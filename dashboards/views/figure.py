"""A view as a plotly figure and as a page of its own."""

from __future__ import annotations

from html import escape
from math import log10
from typing import Any

import plotly.graph_objects as go

from dashboards.ink import figure_layout
from dashboards.ink import page as pages
from dashboards.ink.drawing import LIGHT
from dashboards.views.view import Band, Bars, Curve, Scale, Series, View

_BAND = "rgba(128,128,128,0.2)"
_HATCH = "rgba(255,255,255,0.65)"


def figure(view: View) -> go.Figure:
    """The figure, in the light colours and without a title."""
    made = go.Figure()
    named = {""}
    for series in view.series:
        trace = _trace(series)
        trace.update(name=escape(series.name), legendgroup=escape(series.name), showlegend=series.name not in named)
        named.add(series.name)
        made.add_trace(trace)
    figure_layout.lay_out(made, _axis(view.x), _axis(view.y), view.x.title, view.y.title)
    made.update_layout(barmode="overlay", showlegend=True)
    return made


def page(view: View) -> str:
    """A page that shows the figure without any other file or server, in light or dark, on wide and narrow screens."""
    return pages.page(figure(view), view.title, view.notes)


def _trace(series: Series) -> Any:
    match series:
        case Curve():
            return _curve(series)
        case Band():
            return _band(series)
        case Bars():
            return _bars(series)


def _curve(curve: Curve) -> go.Scatter:
    """What is as dark as the ink says so in `meta`, for pages that have a dark ground."""
    parts = [*(["lines"] if curve.width else []), *(["markers"] if curve.symbol else [])]
    colour = LIGHT.get(curve.colour, curve.colour)
    outline = 1.5 if curve.symbol.endswith("-open") else 0
    return go.Scatter(
        x=curve.x,
        y=curve.y,
        mode="+".join(parts),
        line={"color": colour, "width": curve.width, "dash": "dash" if curve.dashed else "solid"},
        marker={"color": colour, "symbol": curve.symbol or None, "size": curve.size, "line": {"width": outline}},
        meta=curve.colour if curve.colour in LIGHT else None,
        **_hover(curve.hovers, curve.name),
    )


def _band(band: Band) -> go.Scatter:
    return go.Scatter(
        x=[*band.x, *reversed(band.x)],
        y=[*band.low, *reversed(band.high)],
        mode="lines",
        line={"width": 0, "color": _BAND},
        fill="toself",
        fillcolor=_BAND,
        hoverinfo="skip",
    )


def _bars(bars: Bars) -> go.Bar:
    edges = list(zip(bars.left, bars.right, strict=True))
    return go.Bar(
        x=[(left + right) / 2 for left, right in edges],
        width=[right - left for left, right in edges],
        base=bars.low,
        y=[high - low for low, high in zip(bars.low, bars.high, strict=True)],
        marker={
            "color": LIGHT.get(bars.colour, bars.colour),
            "line": {"width": 0},
            "pattern": {"shape": bars.hatch, "fillmode": "overlay", "fgcolor": _HATCH, "size": 7},
        },
        meta=bars.colour if bars.colour in LIGHT else None,
        **_hover(bars.hovers, bars.name),
    )


def _hover(hovers: tuple[str, ...], name: str) -> dict[str, Any]:
    if not hovers:
        return {"hovertemplate": f"{escape(name)}<extra></extra>"}
    told = ["<br>".join(escape(line) for line in hover.split("\n")) for hover in hovers]
    return {"hovertext": told, "hovertemplate": "%{hovertext}<extra></extra>"}


def _axis(scale: Scale) -> dict[str, Any]:
    ends = [scale.low, scale.high]
    if scale.is_logarithmic:
        ends = [log10(end) for end in ends]
    if scale.is_reversed:
        ends.reverse()
    return figure_layout.axis(ends, scale.ticks, is_logarithmic=scale.is_logarithmic)
