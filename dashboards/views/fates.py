"""What becomes of candidates: how far each came on its way to the target, and how that looks."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from dashboards.pareto.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION
from dashboards.text import counted
from space.candidate import Candidate, State


class End(IntEnum):
    """Ways to end, the nearer to the target the later; being in training is one until there is another."""

    OVER_BUDGET = 0
    FAILED = 1
    PRUNED = 2
    RUNNING = 3
    COMPLETE = 4
    AT_TARGET = 5


class Fate(NamedTuple):
    """Sorted as the ends are, and pruned candidates by the length of their training."""

    end: End
    epochs: int = 0
    """Of a pruned candidate's longest training."""

    def __str__(self) -> str:
        return {
            End.OVER_BUDGET: "over budget",
            End.FAILED: "failed",
            End.PRUNED: f"pruned after {counted(self.epochs, 'epoch')}",
            End.RUNNING: "in training",
            End.COMPLETE: "trained to the end",
            End.AT_TARGET: "reached the target",
        }[self.end]


class Look(NamedTuple):
    """How a fate is drawn, as a point or as a surface."""

    symbol: str
    colour: str
    hatch: str


_ENDS = {
    End.OVER_BUDGET: Look("x", GREY, "/"),
    End.FAILED: Look("x", PURPLE, "x"),
    End.RUNNING: Look("triangle-up-open", GREEN, "\\"),
    End.COMPLETE: Look("circle", BLUE, ""),
    End.AT_TARGET: Look("star", VERMILLION, "/"),
}
_PRUNED = (Look("circle-open", SKY, ""), Look("diamond-open", ORANGE, "-"), Look("square-open", PURPLE, "/"))
"""By the length of the training, beginning with the shortest."""

_STATES = {
    State.WAITING: End.RUNNING,
    State.RUNNING: End.RUNNING,
    State.COMPLETE: End.COMPLETE,
    State.PRUNED: End.PRUNED,
    State.OVER_BUDGET: End.OVER_BUDGET,
    State.FAILED: End.FAILED,
}


def fate(candidate: Candidate, target: float) -> Fate:
    """The target is reached by one validation accuracy of a whole training, confirmed or not."""
    end = _STATES[candidate.state]
    if end == End.COMPLETE and (candidate.accuracy or 0.0) >= target:
        return Fate(End.AT_TARGET)
    return Fate(end, candidate.epochs if end == End.PRUNED else 0)


def look(fate: Fate, lengths: list[int]) -> Look:
    """How it is drawn in a study whose trainings have these lengths in epochs."""
    if fate.end != End.PRUNED:
        return _ENDS[fate.end]
    place = lengths.index(fate.epochs) if fate.epochs in lengths else 0
    return _PRUNED[min(place, len(_PRUNED) - 1)]
