from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from dashboards.pareto.chart import Chart
from dashboards.pareto.figure import figure, page
from dashboards.pareto.points import Cost
from tests.dashboards.studies import candidate, chart, several


def traces(drawn: Chart) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for trace in figure(drawn).data:
        found.setdefault(trace.name, []).append(trace)
    return found


@pytest.mark.parametrize("cost", list(Cost))
def test_a_figure_has_every_point_within_the_axes(cost: Cost) -> None:
    drawn = Chart(several().studies, cost)
    hovers = [text for trace in figure(drawn).data for text in trace.hovertext or ()]
    assert len(hovers) == sum(map(len, drawn.shown.values()))


def test_a_hover_has_the_architecture_the_macs_the_time_and_the_seed() -> None:
    (trace,) = traces(chart(candidate(7, 1234, 0.9, seconds=65.0, seed=42)))["validation: trained to the end"]
    for part in ("1x28x28-4c3nr-P2-10c1-G", "123,400 MACs", "1:05 of training", "seed 42"):
        assert part in trace.hovertext[0]


def test_error_bars_are_the_interval_of_the_verified_accuracy() -> None:
    drawn = several()
    (point,) = [point for point in drawn.points if point.interval is not None]
    assert point.interval is not None
    bars = next(trace for trace in traces(drawn)["test: verified"] if trace.error_y.array)
    (y,), (above,), (below,) = bars.y, bars.error_y.array, bars.error_y.arrayminus
    assert (y + above, y - below) == pytest.approx((1 - point.interval[0], 1 - point.interval[1]))


def test_in_several_studies_a_legend_entry_hides_a_kind_in_all_of_them() -> None:
    complete = traces(several())["validation: trained to the end"]
    assert len(complete) == 3
    assert len({trace.legendgroup for trace in complete}) == 1
    assert [trace.showlegend for trace in complete].count(False) == 2


def test_budgets_and_targets_are_lines() -> None:
    assert {"target 99.00 %", "budget 10,000", "budget 15,000"} <= traces(several()).keys()
    assert "budget 10,000" not in traces(Chart(several().studies, Cost.PEAK))


class Outside(HTMLParser):
    """The addresses that a page loads something from, and the texts of its list."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_a_page_needs_nothing_but_itself() -> None:
    parser = Outside()
    parser.feed(page(several()))
    assert parser.addresses == []
    assert "script" in parser.tags
    assert parser.tags.count("li") == len(several().notes())


def test_a_page_has_no_button_that_sends_its_data_anywhere() -> None:
    (config,) = re.findall(r'\{"responsive": true[^}]*\}', page(several()))
    assert json.loads(config)["showSendToCloud"] is False


def test_a_page_does_not_take_a_studys_name_for_html() -> None:
    hostile = "</script><img src=x onerror=alert(1)>"
    drawn = chart(candidate(0, 1000, 0.9), name=hostile)
    made = page(drawn)
    parser = Outside()
    parser.feed(made)
    assert "img" not in parser.tags
    assert hostile not in made


def test_a_page_follows_the_readers_colours_and_width() -> None:
    made = page(several())
    assert "(prefers-color-scheme: dark)" in made
    assert "width=device-width" in made
    assert not re.search(r"LIGHT_|DARK_", made.rpartition("</script>")[0][-3000:])


def test_for_a_small_place_points_have_no_names() -> None:
    def names(is_labelled: bool) -> set[str]:
        drawn = figure(several(), is_labelled=is_labelled)
        return {text for trace in drawn.data for text in (trace.text or ()) if text}

    assert "#1" in names(True)
    assert names(False) == set()
