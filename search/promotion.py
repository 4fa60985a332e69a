"""Who goes on to the next rung: asynchronous successive halving (Li et al. 2020, arxiv.org/abs/1810.05934)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Reached(NamedTuple):
    """What a candidate has come to at one rung."""

    parameters: int
    accuracy: float
    """A fraction."""


def goes_on(accuracy: float, rung: Sequence[float], reduction: int) -> bool:
    """Whether `accuracy` is among the best 1 of `reduction` of all accuracies of its `rung`, itself included.

    Nobody waits for a rung to fill: while fewer than `reduction` are there, the best so far goes on.
    """
    place = max(1, len(rung) // reduction)
    return accuracy >= sorted(rung, reverse=True)[place - 1]


def goes_on_within(budgets: Sequence[int], own: Reached, rung: Sequence[Reached], reduction: int) -> bool:
    """Whether a candidate goes on for any of the `budgets`, each by the results of its `rung` that fit that budget.

    Larger networks are better: small ones, compared with those that only fit a larger budget, would never go on.
    """
    return any(
        goes_on(own.accuracy, [one.accuracy for one in rung if one.parameters <= budget], reduction)
        for budget in budgets
        if own.parameters <= budget
    )
