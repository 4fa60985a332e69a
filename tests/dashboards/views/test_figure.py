from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from dashboards.ink.drawing import LIGHT
from dashboards.views import catalogue
from dashboards.views.figure import figure, page
from dashboards.views.view import Bars, Curve, Scale, View
from tests.dashboards.searches import search

UP = Scale(title="up", low=1, high=100, is_logarithmic=True, is_reversed=True)
ACROSS = Scale(title="across", low=0, high=10)


def view(*series: Curve | Bars) -> View:
    return View(name="one", title="One", x=ACROSS, y=UP, series=series, notes=("first", "second"))


def test_axes_run_as_the_scales_do() -> None:
    layout = figure(view()).layout
    assert (layout.xaxis.type, layout.xaxis.range) == ("linear", (0, 10))
    assert (layout.yaxis.type, layout.yaxis.range) == ("log", (2, 0))
    assert layout.xaxis.title.text == "across"


def test_series_of_one_name_have_one_entry_in_the_legend_and_nameless_ones_none() -> None:
    curves = [Curve(name=name, x=(1,), y=(1,), colour="ink", symbol="circle") for name in ("a", "a", "b", "")]
    made = figure(view(*curves))
    assert [trace.showlegend for trace in made.data] == [True, False, True, False]
    assert made.data[0].legendgroup == made.data[1].legendgroup != made.data[2].legendgroup


def test_a_hover_is_told_in_lines_and_not_taken_for_html() -> None:
    curve = Curve(name="<b>", x=(1,), y=(1,), colour="ink", symbol="circle", hovers=("#7\n<script>",))
    (trace,) = figure(view(curve)).data
    assert trace.hovertext == ("#7<br>&lt;script&gt;",)
    assert trace.name == "&lt;b&gt;"


def test_bars_lie_between_their_edges() -> None:
    (trace,) = figure(view(Bars(name="b", left=(1,), right=(3,), low=(10,), high=(40,), colour="#112233"))).data
    assert (trace.x[0], trace.width[0], trace.base[0], trace.y[0]) == (2, 2, 10, 30)


def test_ink_is_the_colour_of_the_text_and_says_so_for_dark_pages() -> None:
    dark, blue = figure(
        view(
            Curve(name="a", x=(1,), y=(1,), colour="ink", symbol="circle"),
            Curve(name="b", x=(1,), y=(1,), colour="#0000FF", symbol="circle"),
        )
    ).data
    assert (dark.marker.color, dark.meta) == (LIGHT["ink"], "ink")
    assert (blue.marker.color, blue.meta) == ("#0000FF", None)


class Outside(HTMLParser):
    """The addresses that a page loads something from, and how many texts its list has."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.items = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.items += tag == "li"
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


@pytest.mark.parametrize("name", ["history", "importance"])
def test_a_page_needs_nothing_but_itself_and_lists_the_notes(name: str) -> None:
    shown = catalogue.view(search(50), name)
    parser = Outside()
    made = page(shown)
    parser.feed(made)
    assert parser.addresses == []
    assert parser.items == len(shown.notes)
    assert not re.search(r"LIGHT_|DARK_", made.rpartition("</script>")[0][-3000:])
