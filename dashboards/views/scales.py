"""The scales of views: where they begin and end, and what their ticks say."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from dashboards.ink import axes
from dashboards.pareto.style import accuracy_tick, cost_tick
from dashboards.text import number
from dashboards.views.view import Scale, Tick

PERFECT = 1e-6
"""An error below this is none: data sets have fewer images than one in it."""
_HIGHEST_ERROR = 0.999
"""Where a scale of accuracies ends at the latest, so that its lowest accuracy is above 0."""
_MOST_TICKS = 6
"""Of a linear scale, so that their texts find room on a telephone."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_UNITS = ((2 * _MINUTE, 1, "seconds"), (2 * _HOUR, _MINUTE, "minutes"), (2 * _DAY, _HOUR, "hours"))
"""Up to how many seconds a scale is written in which unit, and its length in seconds; days are beyond."""
_TIMES = (
    *(1, 2, 5, 10, 20, 30),
    *(_MINUTE * minutes for minutes in (1, 2, 5, 10, 20, 30)),
    *(_HOUR * hours for hours in (1, 2, 4, 6, 12)),
)
"""Seconds from one tick to the next, below a day."""


def accuracies(errors: Sequence[float], always: Sequence[float] = ()) -> Scale:
    """Of the error, 1 - accuracy, logarithmic and downwards, labelled with accuracies as in `pareto`.

    It shows all `errors` but outliers among the high ones, and those that are `always` to be seen. An accuracy of
    100 % has no logarithm of an error: the scale ends at half the smallest error, where it can be drawn.
    """
    fence = axes.highest_within_fence([max(error, PERFECT) for error in errors])
    shown = [error for error in errors if error <= fence] + list(always)
    positive = [error for error in shown if error > PERFECT] or [0.01]
    low = min(positive) / (2 if min(shown) <= PERFECT else 1)
    axis = axes.around([low, max(positive)])
    axis = axes.Axis(axis.low, min(axis.high, _HIGHEST_ERROR))
    return Scale(
        title="accuracy (logarithmic error)",
        low=axis.low,
        high=axis.high,
        ticks=tuple(Tick(error, accuracy_tick(error)) for error in axis.ticks()),
        is_logarithmic=True,
        is_reversed=True,
    )


def amounts(title: str, values: Sequence[float], always: Sequence[float] = ()) -> Scale:
    """A logarithmic scale of positive numbers: all but outliers among the high ones, and those `always` to be seen."""
    fence = axes.highest_within_fence(values)
    axis = axes.around([*(value for value in values if value <= fence), *always])
    ticks = tuple(Tick(value, cost_tick(value)) for value in axis.ticks())
    return Scale(title=title, low=axis.low, high=axis.high, ticks=ticks, is_logarithmic=True)


def epochs(title: str, lengths: Sequence[int], most: int = 0) -> Scale:
    """A logarithmic scale of numbers of epochs up to `most`, or the last of `lengths`, with ticks at these alone."""
    ticks = tuple(Tick(length, number(length)) for length in lengths)
    high = max(most, lengths[-1]) * 1.2
    return Scale(title=title, low=lengths[0] / 1.2, high=high, ticks=ticks, is_logarithmic=True)


def counts(title: str, high: float, low: float = 0) -> Scale:
    """A linear scale of whole numbers with round ticks."""
    step = max(1, _round_up((high - low) / _MOST_TICKS))
    places = range(ceil(low / step), floor(high / step) + 1)
    ticks = tuple(Tick(step * place, number(round(step * place))) for place in places)
    return Scale(title=title, low=low, high=high, ticks=ticks)


def shares(title: str, high: float = 1.0) -> Scale:
    """A linear scale of shares from 0, labelled in percent."""
    step = _round_up(high / _MOST_TICKS)
    ticks = tuple(Tick(step * place, f"{100 * step * place:g} %") for place in range(floor(high / step + 1e-9) + 1))
    return Scale(title=title, low=0.0, high=high, ticks=ticks)


def times(since: str, seconds: float) -> Scale:
    """A linear scale of seconds from 0, labelled in the unit in which its ticks are round."""
    unit, name = next(((unit, name) for end, unit, name in _UNITS if seconds <= end), (_DAY, "days"))
    wanted = seconds / _MOST_TICKS
    step = next((step for step in _TIMES if step >= wanted), _DAY * _round_up(wanted / _DAY))
    ticks = tuple(Tick(step * place, f"{step * place / unit:g}") for place in range(floor(seconds / step) + 1))
    return Scale(title=f"{name} since {since}", low=0.0, high=seconds, ticks=ticks)


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, ... and of their tenths, hundredths, ..."""
    decade = 10.0 ** floor(log10(value))
    return next(float(f"{step * decade:.6g}") for step in (1, 2, 5, 10) if step * decade >= value * (1 - 1e-9))
