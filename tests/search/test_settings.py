from __future__ import annotations

import json

import pytest

from search.errors import SettingsError
from search.settings import (
    StudySettings,
    differences,
    parse_budget,
    parse_budgets,
    parse_rungs,
    parse_seconds,
    parse_target,
)
from space.fitting import BudgetError
from workers.dataset import DataError


@pytest.mark.parametrize(("text", "budget"), [("10000", 10_000), ("10_000", 10_000), ("10k", 10_000), ("15K", 15_000)])
def test_budgets_read_as_people_write_them(text: str, budget: int) -> None:
    assert parse_budget(text) == budget


@pytest.mark.parametrize("text", ["", "ten", "-5", "1.5k", "0", "10_k", "k"])
def test_a_bad_budget_is_refused_with_the_rule_and_what_came(text: str) -> None:
    with pytest.raises(SettingsError, match=r"budget must be .*but got"):
        parse_budget(text)


@pytest.mark.parametrize(
    ("text", "budgets"),
    [("10k", (10_000,)), ("10k,15k,20k", (10_000, 15_000, 20_000)), ("20k, 10_000", (10_000, 20_000))],
)
def test_several_budgets_are_put_in_their_order(text: str, budgets: tuple[int, ...]) -> None:
    assert parse_budgets(text) == budgets


@pytest.mark.parametrize("text", ["10k,10000", "10k,", "10k,,15k", "10k;15k", ""])
def test_budgets_that_are_the_same_or_none_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"budgets? must .*but got"):
        parse_budgets(text)


@pytest.mark.parametrize(("text", "rungs"), [("1,4,16", (1, 4, 16)), ("4, 64", (4, 64)), ("2", (2,))])
def test_rungs_read_as_epochs(text: str, rungs: tuple[int, ...]) -> None:
    assert parse_rungs(text) == rungs


@pytest.mark.parametrize("text", ["", "0", "4,1", "1,1", "1,,4", "1;4", "-1,4", "1.5", "²", "many"])
def test_bad_rungs_are_refused_with_the_rule_and_what_came(text: str) -> None:
    with pytest.raises(SettingsError, match=r"rungs must be growing whole numbers .*but got"):
        parse_rungs(text)


@pytest.mark.parametrize(("text", "target"), [("0.994", 0.994), ("99.4%", 0.994), ("1", 1.0), ("100%", 1.0)])
def test_targets_read_as_fractions_and_percentages(text: str, target: float) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize("text", ["", "0", "-0.5", "1.01", "99.4", "nan", "inf", "101%", "good"])
def test_a_bad_target_is_refused_with_the_rule_and_what_came(text: str) -> None:
    with pytest.raises(SettingsError, match=r"target must be above 0 and at most 1 .*but got"):
        parse_target(text)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200)])
def test_times_read_with_units(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "1d", "soon"])
def test_a_bad_time_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="a time must be above 0"):
        parse_seconds(text)


@pytest.mark.parametrize("budgets", [3000, (3000,), (1000, 3000)])
def test_settings_survive_json(budgets: int | tuple[int, ...]) -> None:
    settings = StudySettings.make("digits", budgets, 0.9, rungs=(4, 64))
    stored = json.loads(json.dumps(settings.to_json()))
    assert StudySettings.from_json(stored) == settings
    assert differences(stored, settings.to_json()) == []


def test_the_largest_budget_is_the_most_that_a_candidate_may_have() -> None:
    settings = StudySettings.make("digits", [3000, 1000], 0.9)
    assert (settings.budgets, settings.budget) == ((1000, 3000), 3000)


def test_differences_name_the_setting_and_both_values(settings: StudySettings) -> None:
    other = StudySettings.make("digits", 4000, 0.9, rungs=settings.rungs).to_json()
    other["recipe"]["peak"] = 1.0
    found = differences(settings.to_json(), other)
    assert found == ["budgets: the study has [3000], asked for [4000]", "recipe.peak: the study has 0.1, asked for 1.0"]


def test_a_study_is_named_after_data_set_budget_and_target() -> None:
    assert StudySettings.make("mnist", 10_000, 0.994).name == "mnist-10000-0.994"
    assert StudySettings.make("mnist", (10_000, 15_000), 0.994).name == "mnist-10000-15000-0.994"


def test_an_impossible_budget_says_the_smallest_possible() -> None:
    with pytest.raises(BudgetError, match=r"budget must be at least \d+ parameters .* but got 12"):
        StudySettings.make("digits", 12, 0.9)
    with pytest.raises(BudgetError, match=r"but got 12"):
        StudySettings.make("digits", (12, 3000), 0.9)


def test_an_unknown_data_set_says_which_there_are() -> None:
    with pytest.raises(DataError, match=r"must be one of mnist, mnist-16, digits, .*but got cifar"):
        StudySettings.make("cifar", 10_000, 0.9)
