from __future__ import annotations

import pytest

from dashboards.ink.drawing import Line, Polygon, Sheet, Text
from dashboards.pareto.chart import Chart
from dashboards.pareto.drawing import draw
from dashboards.pareto.points import Cost
from tests.dashboards.studies import candidate, chart, several


def texts(sheet: Sheet) -> list[str]:
    return [shape.text for shape in sheet.shapes if isinstance(shape, Text)]


@pytest.mark.parametrize("width", [390, 1000, 1280])
@pytest.mark.parametrize("cost", list(Cost))
def test_nothing_is_drawn_beside_the_sheet(width: int, cost: Cost) -> None:
    sheet = draw(Chart(several().studies, cost), width)
    assert sheet.width == width
    for shape in sheet.shapes:
        for x, y in [shape.place] if isinstance(shape, Text) else shape.places:
            assert 0 <= x <= width
            assert 0 <= y <= sheet.height


def test_every_point_has_a_marker() -> None:
    def markers(drawn: Chart) -> int:
        return sum(isinstance(shape, Polygon) for shape in draw(drawn).shapes)

    one, two = candidate(0, 1000, 0.9), candidate(1, 2000, 0.8)
    assert markers(chart(one, two)) == markers(chart(one)) + 1


def test_the_legend_tells_validation_from_test_and_the_studies_apart() -> None:
    found = texts(draw(several()))
    for part in (
        "front of small",
        "front of large",
        "validation: trained to the end",
        "test: verified",
        "test: published (chosen on the test set)",
        "target 99.00 %",
        "budget 10k",
        "15k",
    ):
        assert part in found


def test_budgets_are_lines_only_where_the_axis_is_that_of_parameters() -> None:
    assert "budget 10k" not in texts(draw(Chart(several().studies, Cost.MACS)))


def test_published_networks_are_named_where_there_is_room() -> None:
    assert "article-2" in texts(draw(several(), 1000))
    assert "article-2" not in texts(draw(several(), 390))


def test_notes_are_wrapped_and_complete() -> None:
    drawn = several()
    for width in (390, 1000):
        together = " ".join(" ".join(texts(draw(drawn, width))).split())
        assert all(note in together for note in drawn.notes())


def test_a_better_network_is_drawn_higher_and_a_smaller_one_further_left() -> None:
    sheet = draw(chart(candidate(0, 1000, 0.9), candidate(1, 4000, 0.95)))
    stairs = next(shape for shape in sheet.shapes if isinstance(shape, Line) and shape.width == 2)
    (first_x, first_y), (last_x, last_y) = stairs.places[1], stairs.places[-1]
    assert first_x < last_x
    assert first_y > last_y
