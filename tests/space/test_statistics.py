from __future__ import annotations

import random
import statistics
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from space.statistics import (
    CONFIDENCE,
    Summary,
    difference,
    excess_of_best,
    proportion_difference,
    proportion_interval,
)
from tests.space.strategies import PROPERTY

ACCURACIES = st.floats(0, 1)
RUNS = st.lists(ACCURACIES, min_size=2, max_size=8)


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    """(right, images)."""
    images = draw(st.integers(1, 20_000))
    return draw(st.integers(0, images)), images


def test_a_summary_of_published_runs() -> None:
    """Student's own sleep data (1908), with the interval that R's t.test gives for them."""
    summary = Summary.of([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])

    assert summary.count == 10
    assert summary.mean == pytest.approx(0.75)
    assert summary.deviation == pytest.approx(1.789010, abs=1e-6)
    assert summary.worst == -1.6
    assert summary.interval == pytest.approx((-0.5297804, 2.0297804), abs=1e-6)


def test_a_single_run_has_neither_deviation_nor_interval() -> None:
    assert Summary.of([0.994]) == Summary(count=1, mean=0.994, deviation=None, worst=0.994, interval=None)


def test_no_runs_cannot_be_summed_up() -> None:
    with pytest.raises(ValueError, match=r"^a summary needs at least 1 value, but got 0$"):
        Summary.of([])


@PROPERTY
@given(ACCURACIES, st.integers(2, 9))
def test_equal_runs_have_no_spread(value: float, count: int) -> None:
    summary = Summary.of([value] * count)

    assert (summary.mean, summary.worst, summary.deviation) == (value, value, 0)
    assert summary.interval == (value, value)


@PROPERTY
@given(RUNS, st.randoms(use_true_random=False))
def test_a_summary_is_about_its_runs_in_any_order(values: list[float], rng: random.Random) -> None:
    summary = Summary.of(values)
    assert summary.interval is not None
    low, high = summary.interval

    assert summary.worst == min(values) <= summary.mean <= max(values)
    assert low <= summary.mean <= high
    assert summary.deviation == pytest.approx(
        float(sum((Fraction(v) - Fraction(summary.mean)) ** 2 for v in values) / (len(values) - 1)) ** 0.5,
        rel=1e-6,
        abs=1e-12,
    )
    assert Summary.of(rng.sample(values, len(values))) == summary


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = random.Random(0)
    held = 0
    for _ in range(2_000):
        interval = Summary.of([rng.gauss(0.99, 0.01) for _ in range(4)]).interval
        assert interval is not None
        held += interval[0] <= 0.99 <= interval[1]

    assert held / 2_000 == pytest.approx(CONFIDENCE, abs=0.015)


def test_a_difference_is_that_of_another_program() -> None:
    """Student's sleep data again; R's t.test of the two drugs."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = difference(first, second)

    assert found is not None
    assert found.mean == pytest.approx(1.58)
    assert found.interval == pytest.approx((-0.2054832, 3.3654832), abs=1e-6)
    assert found.p_value == pytest.approx(0.07939, abs=1e-5)
    assert not found.exceeds_noise


@PROPERTY
@given(RUNS, RUNS)
def test_a_difference_is_that_of_scipy(first: list[float], second: list[float]) -> None:
    from scipy import stats

    variances = statistics.pvariance(first), statistics.pvariance(second)
    assume(min(variances) > 1e-9)
    found = difference(first, second)
    expected = stats.ttest_ind(second, first, equal_var=False)
    low, high = expected.confidence_interval(CONFIDENCE)

    assert found is not None
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert found.interval == pytest.approx((low, high), rel=1e-6, abs=1e-9)


@PROPERTY
@given(RUNS, RUNS)
def test_the_other_way_round_a_difference_has_the_other_sign(first: list[float], second: list[float]) -> None:
    one, other = difference(first, second), difference(second, first)
    assume(one is not None)

    assert one is not None
    assert other is not None
    assert 0 <= one.p_value <= 1
    assert other.mean == -one.mean
    assert other.interval == pytest.approx((-one.interval[1], -one.interval[0]))
    assert other.p_value == pytest.approx(one.p_value)


@pytest.mark.parametrize(
    ("first", "second"), [([0.9], [0.8, 0.9]), ([0.8, 0.9], [0.9]), ([0.9, 0.9], [0.8, 0.8, 0.8]), ([], [])]
)
def test_without_noise_to_measure_it_by_there_is_no_difference(first: list[float], second: list[float]) -> None:
    assert difference(first, second) is None


def test_one_sample_without_noise_is_measured_by_the_other() -> None:
    near, far = difference([0.9, 0.9, 0.9], [0.89, 0.90, 0.92]), difference([0.5, 0.5, 0.5], [0.89, 0.90, 0.92])

    assert near is not None
    assert far is not None
    assert not near.exceeds_noise
    assert far.exceeds_noise


@PROPERTY
@given(counts())
def test_a_single_accuracy_has_wilsons_interval(found: tuple[int, int]) -> None:
    from scipy import stats

    right, images = found
    low, high = proportion_interval(right, images)
    expected = stats.binomtest(right, images).proportion_ci(CONFIDENCE, method="wilson")

    assert 0 <= low <= right / images <= high <= 1
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_more_images_make_an_accuracy_surer() -> None:
    widths = [high - low for low, high in (proportion_interval(99 * n, 100 * n) for n in (1, 10, 100))]

    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == pytest.approx(0.0039, abs=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "interval"),
    [
        ((48, 80), (56, 70), (0.0524, 0.3339)),
        ((3, 10), (9, 10), (0.1705, 0.8090)),
        ((0, 20), (0, 10), (-0.1611, 0.2775)),
    ],
)
def test_the_difference_of_two_accuracies_is_newcombes(
    first: tuple[int, int], second: tuple[int, int], interval: tuple[float, float]
) -> None:
    """The examples of his paper, table II, method 10."""
    assert proportion_difference(first, second).interval == pytest.approx(interval, abs=5e-5)


@PROPERTY
@given(counts(), counts())
def test_a_difference_of_accuracies_lies_in_its_interval(first: tuple[int, int], second: tuple[int, int]) -> None:
    found, reverse = proportion_difference(first, second), proportion_difference(second, first)

    assert -1 <= found.interval[0] <= found.mean <= found.interval[1] <= 1
    assert 0 <= found.p_value <= 1
    assert reverse.mean == -found.mean
    assert reverse.interval == pytest.approx((-found.interval[1], -found.interval[0]))
    assert reverse.p_value == pytest.approx(found.p_value)


def test_what_is_noise_depends_on_the_images() -> None:
    assert not proportion_difference((9_920, 10_000), (9_940, 10_000)).exceeds_noise
    assert proportion_difference((9_920, 10_000), (9_950, 10_000)).exceeds_noise
    assert not proportion_difference((248, 250), (249, 250)).exceeds_noise
    assert not proportion_difference((250, 250), (250, 250)).exceeds_noise


def test_the_best_of_equal_values_exceeds_their_mean_as_chance_has_it() -> None:
    rng = random.Random(0)
    for count in (2, 10, 100):
        best = statistics.fmean(max(rng.gauss(0, 0.5) for _ in range(count)) for _ in range(4000))
        assert excess_of_best(count, 0.5) == pytest.approx(best, abs=0.02)
    assert excess_of_best(1, 0.5) == 0
