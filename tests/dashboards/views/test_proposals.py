from __future__ import annotations

import pytest

from dashboards.views.proposals import proposals
from dashboards.views.view import Band, Curve, View
from space.candidate import PrunedFrom, State
from tests.dashboards.searches import search, searched
from tests.dashboards.studies import candidate


def curves(view: View) -> dict[str, Curve]:
    return {one.name: one for one in view.series if isinstance(one, Curve)}


def test_each_proposal_is_a_point_within_the_budget_or_over_it() -> None:
    over = candidate(1, 10_001, None, state=State.OVER_BUDGET)
    view = proposals(searched(candidate(0, 10_000, 0.9), over))
    found = curves(view)
    assert (found["within the budget"].x, found["within the budget"].y) == ((0,), (10_000,))
    assert (found["over the budget"].x, found["over the budget"].y) == ((1,), (10_001,))
    assert found["budget 10,000"].y == (10_000, 10_000)
    assert view.notes[0] == "Within the budget of 10,000: 1 of 2 (50 %) proposals."


def test_the_first_and_the_last_fifth_say_whether_the_sampler_learns() -> None:
    sizes = [20_000] * 20 + [5000] * 30 + [20_000] * 0
    view = proposals(searched(*(candidate(place, size, None) for place, size in enumerate(sizes))))
    assert view.notes[0].endswith("Of the first fifth 0 of 10 (0 %), of the last 10 of 10 (100 %).")


def test_the_running_median_and_band_are_those_of_consecutive_candidates() -> None:
    view = proposals(searched(*(candidate(number, 1000 + 100 * number, None) for number in range(21))))
    (band,) = [one for one in view.series if isinstance(one, Band)]
    assert curves(view)["running median"].x == (9.5, 10.5)
    assert curves(view)["running median"].y == (1950, 2050)
    assert band.low == pytest.approx((1190, 1290))
    assert band.high == pytest.approx((2710, 2810))


def test_too_few_have_no_median() -> None:
    assert "running median" not in curves(proposals(searched(*(candidate(n, 1000, None) for n in range(19)))))


def test_the_extremes_of_many_are_drawn_and_the_rest_is_thinned() -> None:
    study = search(5000)
    view = proposals(study)
    found = curves(view)
    assert len(found["within the budget"].x) + len(found["over the budget"].x) <= 1004
    shown = [one.parameters for one in study.candidates if view.y.low <= one.parameters <= view.y.high]
    assert min(y or 0 for y in found["within the budget"].y) == min(shown)
    assert max(y or 0 for y in found["over the budget"].y) == max(shown)
    assert any(note.startswith("Thinned: ") for note in view.notes)
    assert len(found["running median"].x) <= 151


def test_each_of_several_budgets_has_a_line() -> None:
    view = proposals(searched(candidate(0, 900, 0.9), candidate(1, 2500, 0.9), budgets=(1000, 3000)))
    lines = [curve.y for name, curve in curves(view).items() if name.startswith("budget")]
    assert lines == [(1000.0,) * 2, (3000.0,) * 2]


def test_the_ratio_of_those_over_the_budget_survives_thinning() -> None:
    made = (candidate(number, 20_000 if number % 10 == 0 else 5000, None) for number in range(3000))
    found = curves(proposals(searched(*made)))
    share = len(found["over the budget"].x) / len(found["within the budget"].x)
    assert share == pytest.approx(1 / 9, rel=0.1)


def test_what_is_far_from_all_others_is_told() -> None:
    usual = [candidate(number, 5000 + number, None) for number in range(120)]
    view = proposals(searched(*usual, candidate(120, 10**7, None), candidate(121, 7, None)))
    assert "Above the picture: 1 of them, the largest 10,000,000 parameters." in view.notes
    assert "Below the picture: 1 of them, the smallest 7 parameters." in view.notes
    assert 7 < view.y.low < view.y.high < 10**7


def test_what_pruning_made_was_not_proposed() -> None:
    slim = candidate(0, 500, 0.9, pruning=PrunedFrom(parent=0, what="filters", keep=0.5, rounds=1, round=1))
    view = proposals(searched(slim))
    assert view.series == ()
    assert view.notes[0] == "Nothing to draw yet: there is no candidate."
