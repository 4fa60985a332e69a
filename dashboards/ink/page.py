"""A page of one plotly figure that needs no other file and no server, in light or dark, on wide and narrow screens."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import plotly.graph_objects as go
from plotly.io import to_html

from dashboards.ink.drawing import DARK, LIGHT

_CONFIG = {
    "responsive": True,
    "displaylogo": False,
    "showSendToCloud": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d"],
}
"""Without the button that plotly shows by default and that would send the figure's data to its makers' server."""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 0 auto; padding: 1rem; max-width: 80rem; font: 15px/1.45 system-ui, sans-serif;
       color: {light[ink]}; background: {light[paper]}; }}
h1 {{ font-size: 1.15rem; overflow-wrap: anywhere; }}
li {{ overflow-wrap: anywhere; }}
#figure {{ height: clamp(38rem, 75vh, 56rem) !important; }}
@media (max-width: 600px) {{ body {{ padding: .5rem; }} #figure {{ height: 52rem !important; }} }}
@media (prefers-color-scheme: dark) {{ body {{ color: {dark[ink]}; background: {dark[paper]}; }} }}
</style>
</head>
<body>
<h1>{title}</h1>
{plot}
<ul>
{notes}
</ul>
</body>
</html>
"""

_SCRIPT = """
const plot = document.getElementById('{plot_id}');
const dark = window.matchMedia('(prefers-color-scheme: dark)');
const narrow = window.matchMedia('(max-width: 600px)');
function adapt() {
  const ink = dark.matches ? 'DARK_INK' : 'LIGHT_INK', grid = dark.matches ? 'DARK_GRID' : 'LIGHT_GRID';
  Plotly.relayout(plot, {'font.color': ink, 'xaxis.gridcolor': grid, 'yaxis.gridcolor': grid,
    'hoverlabel.font.size': narrow.matches ? 10 : 13});
  plot.data.forEach((trace, place) => {
    if (trace.meta === 'published') {
      Plotly.restyle(plot, {mode: narrow.matches ? 'markers' : 'markers+text'}, [place]);
    }
    if (trace.meta === 'ink') {
      const lines = trace.type === 'bar' ? {} : {'line.color': ink};
      Plotly.restyle(plot, {'marker.color': ink, ...lines}, [place]);
    }
  });
}
dark.addEventListener('change', adapt);
narrow.addEventListener('change', adapt);
adapt();
"""


def page(figure: go.Figure, title: str, notes: Iterable[str]) -> str:
    """The page. Traces whose `meta` is `ink` follow the colour of the text, and published ones lose their names
    on narrow screens.
    """
    script = _SCRIPT
    for name in ("ink", "grid"):
        script = script.replace(f"DARK_{name.upper()}", DARK[name]).replace(f"LIGHT_{name.upper()}", LIGHT[name])
    plot = to_html(
        figure,
        full_html=False,
        include_plotlyjs=True,
        div_id="figure",
        default_height="100%",
        config=_CONFIG,
        post_script=script,
    )
    listed = "\n".join(f"<li>{escape(note)}</li>" for note in notes)
    return _PAGE.format(title=escape(title), plot=plot, notes=listed, light=LIGHT, dark=DARK)
