from __future__ import annotations

from itertools import chain

import pytest

from dashboards.ink import drawing
from dashboards.pareto.points import Study
from dashboards.views import catalogue
from dashboards.views import drawing as view_drawing
from dashboards.views import figure as view_figure
from dashboards.views.view import Band, Bars, Curve, Series
from space.candidate import State
from tests.dashboards.searches import search, searched, timed
from tests.dashboards.studies import candidate

STUDIES = {
    "empty": searched(),
    "without anything known": searched(rungs=(), importance={}),
    "over budget": searched(*(candidate(n, 20_000, None, state=State.OVER_BUDGET) for n in range(3))),
    "pruned": searched(*(timed(n, n, n + 1, {1: 0.5}, state=State.PRUNED) for n in range(3))),
    "in training": searched(timed(0, 0, None, {}, state=State.RUNNING, parameters=0)),
    "failed": searched(timed(0, 0, 1, {}, state=State.FAILED)),
    "perfect": searched(timed(0, 0, 1, {1: 1.0, 4: 1.0, 16: 1.0}), target=1.0),
    "wrong about all": searched(timed(0, 0, 1, {1: 0.0}, state=State.PRUNED)),
    "at once": searched(timed(0, 0, 0, {1: 0.5}, state=State.PRUNED)),
    "usual": search(120),
}


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
@pytest.mark.parametrize("name", catalogue.NAMES)
def test_every_view_of_every_study_can_be_drawn_or_says_why_not(study: Study, name: str) -> None:
    view = catalogue.view(study, name)
    assert view.name == name
    assert view.notes
    assert view.series or view.notes[0].startswith("Nothing to draw yet: ")
    assert len(view_figure.figure(view).data) == len(view.series)
    assert drawing.svg(view_drawing.draw(view, 390)).startswith("<svg")


def places(series: Series) -> tuple[list[float], list[float]]:
    """All across and all up."""
    match series:
        case Curve():
            return [x for x in series.x if x is not None], [y for y in series.y if y is not None]
        case Band():
            return list(series.x), [*series.low, *series.high]
        case Bars():
            return [*series.left, *series.right], [*series.low, *series.high]


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_all_that_is_drawn_is_within_the_scales(name: str) -> None:
    view = catalogue.view(search(400), name)
    across, up = (list(chain(*found)) for found in zip(*map(places, view.series), strict=True))
    assert across
    assert view.x.low <= min(across) <= max(across) <= view.x.high
    assert view.y.low <= min(up) <= max(up) <= view.y.high


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_hovers_belong_to_places(name: str) -> None:
    for series in catalogue.view(search(400), name).series:
        if not isinstance(series, Band) and series.hovers:
            count = len(series.x if isinstance(series, Curve) else series.left)
            assert len(series.hovers) == count
