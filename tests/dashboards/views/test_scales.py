from __future__ import annotations

from itertools import pairwise

import pytest

from dashboards.views import scales
from dashboards.views.view import Scale


def texts(scale: Scale) -> list[str]:
    return [tick.text for tick in scale.ticks]


def test_accuracies_run_upwards_and_leave_out_what_is_far_below() -> None:
    scale = scales.accuracies([0.01, 0.011, 0.012, 0.013, 0.9], always=[0.005])
    assert scale.low < 0.005
    assert 0.013 < scale.high < 0.9
    assert scale.share(0.005) > scale.share(0.013)
    assert "99 %" in texts(scale)


@pytest.mark.parametrize("errors", [[0.0], [0.0, 0.02], [1.0], [1.0, 0.0]])
def test_accuracies_of_nothing_and_of_everything_have_a_scale(errors: list[float]) -> None:
    scale = scales.accuracies(errors)
    assert 0 < scale.low < scale.high < 1
    assert scale.ticks


def test_what_is_always_to_be_seen_is_on_the_scale() -> None:
    assert scales.amounts("n", [1.0, 1.1, 1.2, 1.3, 500.0]).high < 500
    assert scales.amounts("n", [1.0, 1.1, 1.2, 1.3], [500.0]).high > 500


@pytest.mark.parametrize("high", [1, 7, 10, 83, 1255, 4999, 40_000])
def test_counts_have_few_round_ticks_that_are_whole_numbers(high: int) -> None:
    scale = scales.counts("n", high)
    values = [tick.value for tick in scale.ticks]
    assert 2 <= len(values) <= 8
    assert all(value == round(value) for value in values)
    assert values[0] == 0
    assert high - values[-1] < values[1]


@pytest.mark.parametrize(
    ("seconds", "unit", "ticks"),
    [
        (42, "seconds", ["0", "10", "20", "30", "40"]),
        (1255, "minutes", ["0", "5", "10", "15", "20"]),
        (5 * 3600, "hours", ["0", "1", "2", "3", "4", "5"]),
        (10 * 86_400, "days", ["0", "2", "4", "6", "8", "10"]),
    ],
)
def test_times_are_written_in_the_unit_in_which_they_are_round(seconds: float, unit: str, ticks: list[str]) -> None:
    scale = scales.times("the beginning", seconds)
    assert scale.title == f"{unit} since the beginning"
    assert texts(scale) == ticks


@pytest.mark.parametrize("seconds", [1, 119, 121, 7199, 7201, 172_799, 172_801, 1e8])
def test_times_have_few_ticks_at_equal_steps(seconds: float) -> None:
    values = [tick.value for tick in scales.times("", seconds).ticks]
    assert 2 <= len(values) <= 7
    assert len({round(after - before, 6) for before, after in pairwise(values)}) == 1


def test_shares_are_percents() -> None:
    assert texts(scales.shares("", 1.0)) == ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]
    assert texts(scales.shares("", 0.07)) == ["0 %", "2 %", "4 %", "6 %"]


def test_epochs_are_marked_where_trainings_end() -> None:
    scale = scales.epochs("epochs", [1, 4, 16])
    assert texts(scale) == ["1", "4", "16"]
    assert scale.share(4) == pytest.approx(0.5)
