from __future__ import annotations

import pytest

from dashboards.ink.drawing import Line, Polygon, Sheet, Text
from dashboards.views import catalogue
from dashboards.views.drawing import draw
from dashboards.views.view import Bars, Curve, Scale, Series, View
from tests.dashboards.searches import search, searched

ACROSS = Scale(title="across", low=0, high=10)
UP = Scale(title="up", low=0, high=10)


def view(*series: Series) -> View:
    return View(name="one", title="One", x=ACROSS, y=UP, series=series)


def texts(sheet: Sheet) -> list[str]:
    return [shape.text for shape in sheet.shapes if isinstance(shape, Text)]


@pytest.mark.parametrize("width", [390, 1000, 1280])
@pytest.mark.parametrize("name", catalogue.NAMES)
def test_nothing_is_drawn_beside_the_sheet(width: int, name: str) -> None:
    for study in (search(300), searched()):
        sheet = draw(catalogue.view(study, name), width)
        assert sheet.width == width
        for shape in sheet.shapes:
            for x, y in [shape.place] if isinstance(shape, Text) else shape.places:
                assert 0 <= x <= width
                assert 0 <= y <= sheet.height


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_the_legend_has_each_name_once_and_the_notes_are_complete(name: str) -> None:
    shown = catalogue.view(search(300), name)
    found = texts(draw(shown, 1000))
    for series in shown.series:
        assert found.count(series.name) == (1 if series.name else 0)
    together = " ".join(" ".join(found).split())
    assert all(note in together for note in shown.notes)


def test_a_gap_ends_a_line_and_begins_another() -> None:
    curve = Curve(name="c", x=(0, 5, None, 6, 10), y=(0, 5, None, 6, 10), colour="#123456", width=2)
    lines = [shape for shape in draw(view(curve)).shapes if isinstance(shape, Line) and shape.colour == "#123456"]
    assert [len(line.places) for line in lines] == [2, 2, 2]  # the third is the legend's


def test_what_is_more_is_drawn_higher_and_further_right() -> None:
    curve = Curve(name="", x=(1, 9), y=(2, 8), colour="#123456", width=2)
    (line,) = [shape for shape in draw(view(curve)).shapes if isinstance(shape, Line) and shape.colour == "#123456"]
    (x, y), (to_x, to_y) = line.places
    assert x < to_x
    assert y > to_y


def test_bars_are_filled_from_edge_to_edge_and_hatched_within() -> None:
    bars = Bars(name="", left=(0,), right=(10,), low=(0,), high=(5,), colour="#123456", hatch="/")
    sheet = draw(view(bars))
    (box,) = [shape for shape in sheet.shapes if isinstance(shape, Polygon)]
    left, right = min(x for x, _ in box.places), max(x for x, _ in box.places)
    top, bottom = min(y for _, y in box.places), max(y for _, y in box.places)
    hatch = [shape for shape in sheet.shapes if isinstance(shape, Line) and shape.colour == "paper"]
    assert hatch
    for line in hatch:
        assert all(left <= x <= right and top <= y <= bottom for x, y in line.places)


def test_a_legends_entry_has_the_line_and_the_symbol_of_its_series() -> None:
    line = Curve(name="both", x=(0, 10), y=(0, 10), colour="#123456", width=2)
    points = Curve(name="both", x=(5,), y=(5,), colour="#123456", symbol="circle")
    own = [shape for shape in draw(view(points, line)).shapes if getattr(shape, "colour", "") == "#123456"]
    assert sum(isinstance(shape, Polygon) for shape in own) == 2
    assert sum(isinstance(shape, Line) for shape in own) == 2


def test_where_there_is_nothing_to_draw_the_picture_says_so() -> None:
    assert "nothing to draw yet" in texts(draw(view()))
