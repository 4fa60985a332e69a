from __future__ import annotations

import pytest

from dashboards.text import choice, duration, goal, interval, number, percent, points


def test_fractions_read_as_percentages() -> None:
    assert percent(0.9941) == "99.41 %"
    assert percent(None) == "-"


def test_counts_are_listed_as_in_a_sentence() -> None:
    assert choice([10_000]) == "10,000"
    assert choice([10_000, 15_000]) == "10,000 or 15,000"
    assert choice([10_000, 15_000, 20_000], "and") == "10,000, 15,000 and 20,000"
    assert goal(0.994, [10_000, 15_000]) == "99.40 % with at most 10,000 or 15,000 parameters"


def test_deviations_and_intervals_read_as_parts_of_accuracies() -> None:
    assert points(0.00064) == "0.06 points"
    assert interval((0.99384, 0.99467)) == "99.38 to 99.47 %"
    assert interval((0.97, 1.004)) == "97.00 to 100.00 %"
    assert (points(None), interval(None)) == ("-", "-")


def test_counts_read_with_separators() -> None:
    assert number(10_000) == "10,000"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.9, "59 s"), (185, "3:05"), (7385, "2:03:05")])
def test_times_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
