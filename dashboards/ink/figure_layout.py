"""How our plotly figures are laid out, whatever they show: axes with the ticks they are given, and the legend below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dashboards.ink.drawing import LIGHT
from dashboards.pareto.style import GREY

_CLEAR = "rgba(0,0,0,0)"


def lay_out(made: go.Figure, x: dict[str, Any], y: dict[str, Any], x_title: str, y_title: str) -> None:
    """As little as it takes below the plot, where the legend is: the title of the lower axis is within the plot."""
    made.update_layout(
        template="none",
        font={"color": LIGHT["ink"], "size": 12},
        paper_bgcolor=_CLEAR,
        plot_bgcolor=_CLEAR,
        margin={"l": 62, "r": 12, "t": 32, "b": 40},
        modebar={"bgcolor": _CLEAR, "color": GREY, "activecolor": GREY},
        hoverlabel={"align": "left", "namelength": -1},
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0, "x": 0, "maxheight": 900},
        xaxis={**x, "title": {"text": x_title, "standoff": 8}, "automargin": True},
        yaxis={**y, "title": {"text": y_title, "standoff": 4}, "automargin": True},
    )


def axis(ends: Sequence[float], ticks: Sequence[tuple[float, str]], *, is_logarithmic: bool) -> dict[str, Any]:
    """`ends` are on the left and right, or at the bottom and top; logarithms to base ten where it is logarithmic."""
    return {
        "type": "log" if is_logarithmic else "linear",
        "range": list(ends),
        "tickvals": [value for value, _ in ticks],
        "ticktext": [text for _, text in ticks],
        "gridcolor": LIGHT["grid"],
        "zeroline": False,
    }
