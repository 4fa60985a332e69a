"""Who goes on to the next rung: asynchronous successive halving (Li et al. 2020, arxiv.org/abs/1810.05934)."""

from __future__ import annotations

from collections.abc import Sequence


def goes_on(accuracy: float, rung: Sequence[float], reduction: int) -> bool:
    """Whether `accuracy` is among the best 1 of `reduction` of all accuracies of its `rung`, itself included.

    Nobody waits for a rung to fill: while fewer than `reduction` are there, the best so far goes on.
    """
    place = max(1, len(rung) // reduction)
    return accuracy >= sorted(rung, reverse=True)[place - 1]
