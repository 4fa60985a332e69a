from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.ink.axes import Axis, around, highest_within_fence

positive = st.floats(1e-6, 1e9)


@given(st.lists(positive, min_size=1))
def test_an_axis_shows_all_it_is_made_for(values: list[float]) -> None:
    axis = around(values)
    assert axis.low < axis.high
    assert all(value in axis for value in values)


@given(st.lists(positive, min_size=1))
def test_ticks_are_on_the_axis_in_order_and_enough_to_read_it(values: list[float]) -> None:
    axis = around(values)
    ticks = axis.ticks()
    assert ticks == sorted(set(ticks))
    assert all(tick in axis for tick in ticks)
    assert len(ticks) >= 2


def test_a_short_axis_between_round_values_has_ticks_too() -> None:
    assert len(around([102_048_016.0, 153_072_024.0]).ticks()) >= 2
    assert Axis(3.02, 3.95).ticks() == [3.1, 3.2, 3.3, 3.4, 3.5, 3.6, 3.7, 3.8, 3.9]


def test_ticks_are_round() -> None:
    assert Axis(900, 21_000).ticks() == [1000, 2000, 5000, 10_000, 20_000]
    assert Axis(1900, 11_000).ticks() == [2000, 3000, 5000, 7000, 10_000]


def test_equal_ratios_are_equal_lengths() -> None:
    axis = Axis(1, 100)
    assert [axis.share(value) for value in (1, 10, 100)] == pytest.approx([0, 0.5, 1])


def test_what_is_beyond_an_end_is_clipped_to_it() -> None:
    assert [Axis(1, 100).clip(value) for value in (0.0, 5, 1000)] == [1, 5, 100]


def test_one_value_far_above_the_others_is_an_outlier() -> None:
    assert highest_within_fence([0.008, 0.01, 0.011, 0.012, 0.02, 0.9]) == 0.02


def test_values_without_an_outlier_are_all_within() -> None:
    assert highest_within_fence([0.01, 0.02, 0.04, 0.08, 0.16]) == 0.16


def test_of_a_few_values_none_is_an_outlier() -> None:
    assert highest_within_fence([0.01, 0.011, 0.9]) == 0.9
