"""How sure a measured accuracy is: intervals and tests of a few runs, and of one run on a number of images."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from typing import Self

CONFIDENCE = 0.95
"""Of every interval; a difference exceeds the noise if its p-value is below 1 - CONFIDENCE."""

_TAIL = (1 + CONFIDENCE) / 2
_NORMAL = statistics.NormalDist().inv_cdf(_TAIL)

Interval = tuple[float, float]
"""Its lower and its upper end."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What several runs of the same thing came to."""

    count: int
    mean: float
    deviation: float | None
    """Of the runs, estimated with count - 1 degrees of freedom; None for a single run."""
    worst: float
    """The lowest value."""
    interval: Interval | None
    """Of the mean, by Student's t (1908); both ends are the mean if all runs are equal; None for a single run."""

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The summary of finite values; ValueError if there are none."""
        if not values:
            raise ValueError("a summary needs at least 1 value, but got 0")
        mean = statistics.mean(values)  # exact before its last rounding, so that equal values have no deviation
        if len(values) == 1:
            return cls(count=1, mean=mean, deviation=None, worst=mean, interval=None)
        deviation = statistics.stdev(values)
        half = _student(len(values) - 1) * deviation / sqrt(len(values))
        return cls(
            count=len(values),
            mean=mean,
            deviation=deviation,
            worst=min(values),
            interval=(mean - half, mean + half),
        )


@dataclass(frozen=True, kw_only=True)
class Difference:
    """By how much a second sample lies above a first one."""

    mean: float
    interval: Interval
    p_value: float
    """Two-sided: how often equal samples would lie this far apart or farther."""

    @property
    def exceeds_noise(self) -> bool:
        """Whether chance alone would rarely bring about such a difference."""
        return self.p_value < 1 - CONFIDENCE


def difference(first: Sequence[float], second: Sequence[float]) -> Difference | None:
    """Welch's t-test (1947) of two samples, which need not have the same variance.

    None where there is no noise to measure the difference by: fewer than two values in one of them, or no variance in
    either.
    """
    if min(len(first), len(second)) < 2:
        return None
    one, other = statistics.variance(first) / len(first), statistics.variance(second) / len(second)
    if one + other == 0:
        return None
    share = one / (one + other)
    freedom = 1 / (share**2 / (len(first) - 1) + (1 - share) ** 2 / (len(second) - 1))
    mean, error = statistics.mean(second) - statistics.mean(first), sqrt(one + other)
    half = _student(freedom) * error
    return Difference(mean=mean, interval=(mean - half, mean + half), p_value=_two_sided(mean / error, freedom))


def excess_of_best(count: int, deviation: float) -> float:
    """By how much the best of `count` values exceeds their mean if chance alone makes them differ, by `deviation`.

    The expected largest of so many normal values, by Blom (1958): good to a hundredth of the deviation. 0 for a single
    one.
    """
    return deviation * statistics.NormalDist().inv_cdf((count - 0.375) / (count + 0.25)) if count > 1 else 0.0


def proportion_interval(right: int, images: int) -> Interval:
    """Of the share that `right` images in `images` estimate, by Wilson's score (1927); within 0 and 1.

    It holds for one trained network and other images like these; how much trainings differ it cannot know.
    """
    share, spread = right / images, _NORMAL**2 / images
    centre = (share + spread / 2) / (1 + spread)
    half = sqrt(spread * share * (1 - share) + spread**2 / 4) / (1 + spread)
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def proportion_difference(first: tuple[int, int], second: tuple[int, int]) -> Difference:
    """Of two shares, each given as (right, images): Newcombe's interval (1998, method 10), the pooled z-test's p-value.

    The images are taken for independent draws. For two networks on the same images that is too careful: what is hard
    for one is mostly hard for the other.
    """
    (one, one_images), (other, other_images) = first, second
    share, other_share = one / one_images, other / other_images
    (low, high), (other_low, other_high) = proportion_interval(*first), proportion_interval(*second)
    mean = other_share - share
    pooled = (one + other) / (one_images + other_images)
    error = sqrt(pooled * (1 - pooled) * (1 / one_images + 1 / other_images))
    return Difference(
        mean=mean,
        interval=(
            mean - hypot(other_share - other_low, high - share),
            mean + hypot(other_high - other_share, share - low),
        ),
        p_value=2 * statistics.NormalDist().cdf(-abs(mean) / error) if error else 1.0,
    )


def _student(freedom: float) -> float:
    """The quantile of Student's t that an interval is as many standard errors wide each way."""
    from scipy import special

    return float(special.stdtrit(freedom, _TAIL))


def _two_sided(statistic: float, freedom: float) -> float:
    from scipy import special

    return float(2 * special.stdtr(freedom, -abs(statistic)))
