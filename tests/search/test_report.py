from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from search.report import continue_line, print_result, pruned_line, result_row
from search.run import Result
from search.settings import StudySettings
from space.candidate import Candidate, Confirmation, State
from space.trail import Win

LINE = "1x8x8-4c3nr-P2-10c1-G"


@pytest.fixture
def result(settings: StudySettings) -> Result:
    confirmations = tuple(Confirmation(fold=fold, seed=fold, accuracy=0.91, seconds=1.0) for fold in (1, 2, 3))
    return Result(
        study="digits-3000-0.9",
        settings=settings,
        candidates=[
            Candidate(number=0, state=State.OVER_BUDGET, origin="sampler", line=LINE, parameters=3100),
            Candidate(number=1, state=State.PRUNED, origin="sampler", line=LINE, parameters=90, rungs={1: 0.3}),
            Candidate(number=2, state=State.FAILED, origin="sampler", line=LINE, reason="its worker died"),
            Candidate(
                number=3,
                state=State.COMPLETE,
                origin="sampler",
                line=LINE,
                parameters=90,
                rungs={1: 0.5, 4: 0.8, 16: 0.92},
                confirmations=confirmations,
            ),
        ],
        trail=(Win(number=3, parameters=90, when=datetime.now(UTC)),),
        seconds=75.0,
        interrupted=False,
    )


def printed(result: Result) -> str:
    file = io.StringIO()
    print_result(Console(file=file, width=120), result)
    return file.getvalue()


def test_a_winner_is_shown_with_its_fresh_trainings(result: Result) -> None:
    text = printed(result)
    assert "Confirmed for 90.00 % with at most 3,000 parameters: #3, 90 parameters" in text
    assert "91.00 % mean of 3 fresh trainings" in text
    assert "This run took 1:15." in text
    assert "--fresh" in text


def test_the_best_single_run_is_told_with_what_is_known_of_it_besides(result: Result) -> None:
    assert (
        "Best of 1 single run: 92.00 % (#3); no other seed of that network was trained; its test accuracy was not read."
    ) in printed(result)
    told = result_row(result)["winners_curse"]
    assert (told["candidate"], told["single"], told["runs"]) == (3, 0.92, 1)
    assert json.dumps(told)
    assert result_row(replace(result, candidates=[], trail=()))["winners_curse"] is None


def test_without_a_winner_the_way_on_is_shown(result: Result) -> None:
    text = printed(replace(result, trail=()))
    assert "No confirmed network yet for 90.00 % with at most 3,000 parameters." in text
    assert "To go on: search resume digits-3000-0.9" in text


def test_each_budget_has_its_own_verdict(result: Result) -> None:
    several = replace(result, settings=StudySettings.make("digits", (80, 1000, 3000), 0.9))
    text = printed(several)
    assert "Confirmed for 90.00 % with at most 1,000 or 3,000 parameters: #3, 90 parameters" in text
    assert "No confirmed network yet for 90.00 % with at most 80 parameters." in text
    assert "By budget" in text
    assert "To go on: search resume" in text
    row = result_row(several)
    assert not row["target_met"]
    assert [budget["winner"] and budget["winner"]["number"] for budget in row["budgets"]] == [None, 3, 3]


def test_winners_that_smaller_ones_have_taken_the_place_of_are_shown(result: Result) -> None:
    before = replace(result.candidates[3], number=4, parameters=200)
    trail = (replace(result.trail[0], number=4, parameters=200), *result.trail)
    shrunk = replace(result, candidates=[*result.candidates, before], trail=trail, shrink=True)
    text = printed(shrunk)
    assert "Winners, each smaller than the one before" in text
    assert "Confirmed for 90.00 % with at most 3,000 parameters: #3, 90 parameters" in text
    assert continue_line(shrunk) == "search resume digits-3000-0.9 --shrink"
    assert [win["parameters"] for win in result_row(shrunk)["trail"]] == [200, 90]
    assert "Winners, each" not in printed(result)


def test_what_was_not_trained_to_the_end_is_told_with_its_reason(result: Result) -> None:
    assert pruned_line(result.candidates) == (
        "Of 4 candidates: 1 trained to the end, 1 over budget (never trained), 1 pruned after 1 epoch, "
        "1 failed (its worker died)."
    )


def test_json_says_the_same(result: Result) -> None:
    row = json.loads(json.dumps(result_row(result)))
    assert row["target_met"]
    assert row["winner"]["number"] == 3
    assert row["counts"]["over budget"] == 1
    assert row["pruned_by_rung"] == {"1": 1}
    assert [candidate["number"] for candidate in row["best"]] == [3, 1]


def test_a_study_without_candidates_can_be_shown(result: Result) -> None:
    text = printed(replace(result, trail=(), candidates=[], seconds=0.0))
    assert "Of 0 candidates" in text


def test_the_line_that_begins_another_search_names_what_is_not_usual(result: Result) -> None:
    result = replace(result, settings=StudySettings.make("digits", 3000, 0.9))
    assert continue_line(result) == "search run --dataset digits --budget 3000 --target 0.9 --fresh"
    other = replace(result, sampler="random")
    assert continue_line(other) == "search run --dataset digits --budget 3000 --target 0.9 --sampler random --fresh"
    longer = replace(result, settings=replace(result.settings, rungs=(4, 64)))
    assert continue_line(longer) == "search run --dataset digits --budget 3000 --target 0.9 --rungs 4,64 --fresh"
    assert continue_line(replace(other, trail=())) == "search resume digits-3000-0.9 --sampler random"
