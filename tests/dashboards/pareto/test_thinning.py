"""Charts of more points than a browser can draw at once."""

from __future__ import annotations

import random

from dashboards.pareto.chart import Chart
from dashboards.pareto.points import Cost, Kind
from dashboards.pareto.thinning import MOST, ThinChart
from space.candidate import Candidate, State
from tests.dashboards.studies import candidate, study, verification


def many(count: int) -> list[Candidate]:
    rng = random.Random(1)
    found = []
    for number in range(count):
        size = rng.randint(3000, 10_000)
        error = 60 / size * rng.lognormvariate(0, 0.3)
        state = State.PRUNED if number % 3 else State.COMPLETE
        found.append(candidate(number, size, 1 - error, state=state, rungs={1 if number % 3 else 16: 1 - error}))
    tested = tuple(verification(place, 0.99) for place in range(3))
    return [*found, candidate(count, 9000, 0.99, verifications=tested)]


def names(chart: Chart, kind: Kind) -> set[str]:
    return {point.name for (_, one, _), points in chart.shown.items() if one == kind for point in points}


def test_few_points_are_all_drawn() -> None:
    one = study(*many(300))
    thin, whole = ThinChart((one,), Cost.PARAMETERS), Chart((one,), Cost.PARAMETERS)
    assert thin.shown == whole.shown
    assert thin.notes() == whole.notes()


def test_of_many_no_more_are_drawn_than_a_browser_can() -> None:
    chart = ThinChart((study(*many(6000)),), Cost.PARAMETERS)
    drawn = sum(map(len, chart.shown.values()))
    assert MOST / 4 < drawn <= MOST + 100
    assert chart.notes()[-1].startswith(f"Thinned: {drawn:,} of ")


def test_the_front_the_best_and_what_was_tested_stay() -> None:
    one = study(*many(6000))
    thin, whole = ThinChart((one,), Cost.PARAMETERS), Chart((one,), Cost.PARAMETERS)
    drawn = {point.name for points in thin.shown.values() for point in points}
    assert {point.name for point in whole.fronts["study"] if whole.is_shown(point)} <= drawn
    assert names(thin, Kind.VERIFIED) == names(whole, Kind.VERIFIED) != set()
    assert thin.best_shown == whole.best_shown != []


def test_axes_and_fronts_are_those_of_all_points() -> None:
    one = study(*many(6000))
    for cost in Cost:
        thin, whole = ThinChart((one,), cost), Chart((one,), cost)
        assert (thin.x, thin.y, thin.stairs("study")) == (whole.x, whole.y, whole.stairs("study"))


def test_every_point_that_is_left_out_lies_near_a_better_one() -> None:
    one = study(*many(4000))
    thin, whole = ThinChart((one,), Cost.PARAMETERS), Chart((one,), Cost.PARAMETERS)
    for key, points in whole.shown.items():
        drawn = thin.shown[key]
        for point in points[:200]:
            if point not in drawn:
                near = [
                    other
                    for other in drawn
                    if abs(whole.x.share(other.parameters) - whole.x.share(point.parameters)) < 0.05
                    and abs(whole.y.share(other.error) - whole.y.share(point.error)) < 0.05
                ]
                assert any(other.accuracy >= point.accuracy for other in near)
