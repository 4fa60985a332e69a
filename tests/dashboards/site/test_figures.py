"""Figures as plotly's script is given them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dashboards.pareto.points import Cost, Study
from dashboards.site import figures
from dashboards.views import catalogue
from space.candidate import State
from tests.dashboards.studies import candidate, study


def read(answer: Any) -> Any:
    return json.loads(answer.body)


EMPTY = study()
OVER = study(candidate(0, 12_000, None, state=State.OVER_BUDGET))
RUNNING = study(candidate(0, 4000, None, state=State.RUNNING))


@pytest.mark.parametrize("cost", list(Cost))
@pytest.mark.parametrize(("one", "told"), [(EMPTY, "No candidates yet"), (OVER, "none of 1"), (RUNNING, "none of 1")])
def test_without_an_accuracy_there_is_no_front_but_a_reason(one: Study, told: str, cost: Cost) -> None:
    found = read(figures.pareto(one, cost))
    assert found["figure"] is None
    assert told in found["notes"][0]


@pytest.mark.parametrize("name", catalogue.NAMES)
@pytest.mark.parametrize("one", [EMPTY, OVER, RUNNING, study(candidate(0, 4000, 0.98))])
def test_every_view_has_a_figure_or_a_reason(one: Study, name: str) -> None:
    found = read(figures.view(one, name))
    assert found["figure"] is not None or found["notes"]


def test_zooming_survives_another_figure_of_the_same() -> None:
    first, second = (
        read(figures.pareto(study(*(candidate(n, 4000 + n, 0.98) for n in range(count))), Cost.MACS))
        for count in (1, 2)
    )
    assert first["figure"]["layout"]["uirevision"] == second["figure"]["layout"]["uirevision"]


def test_each_view_has_a_title_without_the_study() -> None:
    titles = figures.titles()
    assert tuple(titles) == catalogue.NAMES
    assert all(title and title[0].isupper() and ":" not in title[:2] for title in titles.values())
