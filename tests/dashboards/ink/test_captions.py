from __future__ import annotations

import pytest

from dashboards.ink import captions
from dashboards.ink.captions import Entry
from dashboards.ink.drawing import Line, Polygon, Text, text_width


def test_a_text_is_broken_between_words_where_it_would_not_fit() -> None:
    text = "what a reader has to know besides the picture"
    lines = captions.fitted(text, 120, 11)
    assert len(lines) > 1
    assert all(text_width(line.rstrip(), 11) <= 120 for line in lines)
    assert "".join(lines) == text


@pytest.mark.parametrize(("width", "rows"), [(1000, 1), (200, 3)])
def test_a_legend_has_as_many_rows_as_it_takes(width: int, rows: int) -> None:
    entries = [Entry(text="some twenty letters!", colour="ink", symbol="circle") for _ in range(3)]
    shapes, end = captions.legend(entries, width, 100)
    texts = [shape for shape in shapes if isinstance(shape, Text)]
    heights = sorted({text.place[1] for text in texts})
    assert len(heights) == rows
    assert heights[-1] < end


def test_a_sample_shows_what_is_drawn() -> None:
    line = Entry(text="", colour="#123456", width=2, dashed=True, symbol="circle").shapes(0, 0)
    assert [type(shape) for shape in line] == [Line, Polygon]
    surface = Entry(text="", colour="#123456", is_surface=True, hatch="/").shapes(0, 0)
    assert isinstance(surface[0], Polygon)
    assert all(isinstance(shape, Line) for shape in surface[1:])
    assert len(surface) > 1
