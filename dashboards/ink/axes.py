"""Logarithmic axes: where they begin and end, and where their ticks are."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from math import ceil, exp, floor, log, log10
from typing import NamedTuple

_COARSE, _MIDDLE, _FINE = (1, 2, 5), (1, 2, 3, 5, 7), (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)
_FEWEST_TICKS = 5
"""That are aimed at."""
_LEAST_TICKS = 2
"""Without which nobody can read an axis."""
_FENCE = 1.5


class Axis(NamedTuple):
    """The ends of a logarithmic axis; 0 < low < high."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """How far along the axis `value` lies: 0 at the low end, 1 at the high end."""
        return log(value / self.low) / log(self.high / self.low)

    def clip(self, value: float) -> float:
        """`value`, or the end of the axis that is nearest to it."""
        return min(max(value, self.low), self.high)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high

    def ticks(self) -> list[float]:
        """Round values within the axis, at least five where it is long enough for them, the same in each decade."""
        found: list[float] = []
        for steps in (_COARSE, _MIDDLE, _FINE):
            decades = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
            found = [float(f"{step}e{decade}") for decade in decades for step in steps]
            found = [value for value in found if value in self]
            if len(found) >= _FEWEST_TICKS:
                break
        return found if len(found) >= _LEAST_TICKS else self._finest()

    def _finest(self) -> list[float]:
        """Of a short axis that lies between round values."""
        decades = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        found = [float(f"{step / 10}e{decade}") for decade in decades for step in range(10, 100)]
        return [value for value in found if value in self]


def around(values: Sequence[float], margin: float = 0.05) -> Axis:
    """The axis that shows all of `values`, which are positive, and its `margin`, a share of its length, at each end."""
    low, high = min(values), max(values)
    if high < 1.5 * low:
        low, high = low / 1.5, high * 1.5
    room = exp(margin * log(high / low))
    return Axis(low / room, high * room)


def highest_within_fence(values: Sequence[float]) -> float:
    """The highest of `values`, which are positive, that is no outlier by Tukey's rule (1977) for their logarithms.

    An outlier is more than 1.5 quartile ranges above the third quartile; of fewer than four values none is one.
    """
    if len(values) < 4:
        return max(values)
    first, _, third = statistics.quantiles([log(value) for value in values], n=4, method="inclusive")
    fence = third + _FENCE * (third - first)
    return max(value for value in values if log(value) <= fence)
