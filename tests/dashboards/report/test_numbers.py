from __future__ import annotations

import json

import pytest

from dashboards.report.numbers import Verified
from space.candidate import Run, State
from space.statistics import proportion_interval
from tests.dashboards.reports import confirmed, report, whole
from tests.dashboards.studies import candidate, verification


def test_the_best_is_the_winner_or_else_the_most_accurate_of_the_longest_trained() -> None:
    found = whole().best
    assert found is not None
    assert found.number == 1
    best_so_far = whole(winner=None).best
    assert best_so_far is not None
    assert best_so_far.number == 7


@pytest.mark.parametrize("state", [State.OVER_BUDGET, State.RUNNING, State.FAILED])
def test_without_an_accuracy_there_is_no_best_no_front_and_no_chart(state: State) -> None:
    found = report(candidate(0, 20_000, None, state=state))
    assert (found.best, found.result, found.chart) == (None, None, None)
    assert found.front == []


def test_an_empty_study_has_numbers_too() -> None:
    found = report()
    assert (found.best, found.span, found.training_seconds, found.test_readings) == (None, None, 0, {})
    assert json.loads(json.dumps(found.to_json()))["candidates"] == []


def test_the_result_is_what_the_best_reached_on_test_images() -> None:
    found = whole().result
    assert found is not None
    assert found.summary.count == 3
    assert found.summary.mean == pytest.approx(0.992)
    assert found.summary.worst == 0.99
    assert found.interval == found.summary.interval
    assert found.images == 1000
    assert found.confusion == ((1476, 24), (0, 1500))


def test_the_interval_of_a_single_training_is_that_of_the_images() -> None:
    found = Verified(candidate(0, 4000, 0.99, verifications=(verification(0, 0.99),)))
    assert found.summary.interval is None
    assert found.interval == proportion_interval(990, 1000)


def test_every_reading_of_the_test_set_counts_for_whomever_it_was() -> None:
    assert whole().test_readings == {1: 3, 7: 1}
    longer = candidate(0, 4000, 0.99, verifications=(verification(0, 0.99),), shorter=(verification(1, 0.98),))
    assert report(longer).test_readings == {0: 2}


def test_the_front_leaves_out_what_pruning_made() -> None:
    assert [one.number for one in whole().front] == [0, 1, 7]


def test_time_is_from_the_first_proposal_to_the_last_result() -> None:
    found = whole()
    assert found.span is not None
    assert (found.span[1] - found.span[0]).total_seconds() == 30 * 60


def test_all_trainings_take_time() -> None:
    runs = (verification(0, 0.99), verification(1, 0.99))
    repeats = (Run(seed=1, accuracy=0.99, seconds=40.0), Run(seed=2, accuracy=0.99, seconds=None))
    more = {"repeats": repeats, "confirmations": confirmed(), "verifications": runs[:1], "shorter": runs[1:]}
    found = report(candidate(0, 4000, 0.99, seconds=100.0, **more))
    assert found.training_seconds == 100 + 40 + 3 * 10 + 2 * 60


def test_json_has_all_of_it() -> None:
    found = json.loads(json.dumps(whole().to_json()))
    assert found["winner"]["number"] == found["best"] == 1
    assert found["target_met"] is True
    assert found["made"] == "2026-03-04T05:06:00+00:00"
    assert found["test_set_read"] == {"1": 3, "7": 1}
    assert found["verified"]["1"]["mean"] == pytest.approx(0.992)
    assert found["verified"]["7"]["interval_of"] == "the images"
    assert found["settings"]["rungs"] == [1, 4, 16]
    assert found["conditions"]["torch"] == "2.14.1"
    assert found["front"] == [0, 1, 7]
    assert [row["number"] for row in found["candidates"]] == list(range(9))
    assert json.loads(json.dumps(whole(winner=None).to_json()))["winner"] is None
