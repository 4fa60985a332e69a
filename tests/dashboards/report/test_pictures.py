from __future__ import annotations

import pytest

from dashboards.ink.drawing import Sheet, Text
from dashboards.report.pictures import READINGS, names
from dashboards.report.sections import document
from dashboards.views.catalogue import NAMES
from tests.dashboards.reports import report, whole
from tests.dashboards.studies import candidate


def texts(sheet: Sheet) -> str:
    return " ".join(shape.text for shape in sheet.shapes if isinstance(shape, Text))


def test_every_view_says_how_it_is_read() -> None:
    assert READINGS.keys() == set(NAMES)


def test_a_whole_study_has_the_layers_the_front_and_its_views() -> None:
    found = [picture.name for picture in document(whole()).pictures()]
    assert found[:2] == ["layers", "pareto"]
    assert set(found) <= set(names())
    assert {"history", "epochs", "pruned", "curves", "losses", "proposals"} <= set(found)


def test_a_view_without_data_is_a_sentence_and_no_picture() -> None:
    made = document(report())
    assert made.pictures() == []
    (views,) = [section for section in made.sections if section.title == "How the search went"]
    assert len(views.below) == len(NAMES)
    assert all(section.parts for section in views.below)


def test_importance_is_drawn_where_it_is_known() -> None:
    known = report(candidate(0, 4000, 0.98), importance={"depth1": 0.75, "bias": 0.25})
    assert "importance" in [picture.name for picture in document(known).pictures()]


@pytest.mark.parametrize("width", [360, 1000])
def test_notes_are_in_the_picture_only_where_it_stands_alone(width: int) -> None:
    noted = [picture for picture in document(whole()).pictures() if picture.notes]
    assert noted
    for picture in noted:
        first = picture.notes[0].split()
        assert " ".join(first) in " ".join(texts(picture.draw_whole(width)).split())
        assert " ".join(first) not in " ".join(texts(picture.draw(width)).split())
        assert picture.draw(width).width == width


def test_the_picture_of_the_front_is_told_in_words() -> None:
    (pareto,) = [picture for picture in document(whole()).pictures() if picture.name == "pareto"]
    assert "3 candidates, from 98.50 % with 4,000 parameters to 99.60 % with 9,000" in pareto.alternative
