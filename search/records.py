"""A candidate as a trial of Optuna's: how it is written down, and how it is read.

What Optuna has no column for is a user attribute; the names of those are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.wish import SAMPLED, Wish
from space.architecture import Architecture
from space.candidate import Candidate, PrunedFrom, State
from space.notation import write
from space.ranges import Choice, Range
from space.search_space import SearchSpace

LINE = "architecture"
IDENTITY = "identity"
PARAMETERS = "parameters"
MACS = "macs"
PEAK = "peak_activation_bytes"
OVER = "over_budget_by"
ORIGIN = "origin"
DRIVER = "driver"
SECONDS = "seconds"
REASON = "reason"
INTERRUPTED = "interrupted"
AGAIN = "again"
PRUNING = "pruning"
LOSSES = "petitnet:losses"
"""A system attribute, which no dashboard makes a column of."""

OWN_ATTRIBUTES = frozenset(
    {LINE, IDENTITY, PARAMETERS, MACS, PEAK, OVER, ORIGIN, DRIVER, SECONDS, REASON, INTERRUPTED, AGAIN, PRUNING}
)
"""User attributes of trials that are ours and nobody else's to write."""

_STATES = {
    TrialState.WAITING: State.WAITING,
    TrialState.RUNNING: State.RUNNING,
    TrialState.COMPLETE: State.COMPLETE,
    TrialState.PRUNED: State.PRUNED,
    TrialState.FAIL: State.FAILED,
}


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """A space's ranges in Optuna's words."""
    return dict(_distributions(space))


@cache
def _distributions(space: SearchSpace) -> Mapping[str, BaseDistribution]:
    return {dimension.name: _distribution(dimension) for dimension in space.dimensions}


def _distribution(dimension: Range | Choice) -> BaseDistribution:
    if isinstance(dimension, Range):
        return IntDistribution(dimension.low, dimension.high, log=dimension.log)
    return CategoricalDistribution(dimension.values)


def is_taken(trial: FrozenTrial) -> bool:
    """Whether a candidate is trained or in training, and not by pruning."""
    attributes = trial.user_attrs
    untrained = OVER in attributes or PRUNING in attributes or attributes.get(INTERRUPTED, False)
    return not untrained and trial.state != TrialState.WAITING


def in_training(wish: Wish, budget: int) -> FrozenTrial:
    """A candidate as Optuna is told of it, in training."""
    return create_trial(
        state=TrialState.RUNNING,
        params=dict(wish.choices),
        distributions=distributions(wish.space),
        user_attrs=description(wish.architecture) | {IDENTITY: wish.identity, ORIGIN: wish.origin},
        constraints={PARAMETERS: wish.parameters - budget},
    )


def over_budget(wish: Wish, budget: int) -> FrozenTrial:
    """A candidate over budget, which is closed at once."""
    trial = in_training(wish, budget)
    excess = wish.parameters - budget
    trial.user_attrs[OVER] = excess
    trial.user_attrs[REASON] = f"{wish.parameters} parameters, {excess} over the budget of {budget}"
    trial.state = TrialState.PRUNED
    trial.datetime_complete = trial.datetime_start
    return trial


def description(architecture: Architecture) -> dict[str, Any]:
    """Its line and its counts, as user attributes."""
    totals = architecture.totals
    return {
        LINE: write(architecture),
        PARAMETERS: totals.parameters,
        MACS: totals.macs,
        PEAK: totals.peak_activation_bytes,
    }


def as_candidate(trial: FrozenTrial, seed: int) -> Candidate:
    """What is known of it, without repeats, confirmations and verifications."""
    attributes = trial.user_attrs
    return Candidate(
        number=trial.number,
        state=State.OVER_BUDGET if OVER in attributes else _STATES[trial.state],
        origin=attributes.get(ORIGIN, SAMPLED),
        line=attributes.get(LINE, ""),
        identity=attributes.get(IDENTITY, ""),
        parameters=attributes.get(PARAMETERS, 0),
        macs=attributes.get(MACS, 0),
        peak_activation_bytes=attributes.get(PEAK, 0),
        seed=seed,
        rungs=dict(sorted(trial.intermediate_values.items())),
        losses=_losses(trial),
        seconds=attributes.get(SECONDS, 0.0),
        begun=_with_zone(trial.datetime_start),
        ended=_with_zone(trial.datetime_complete),
        reason=attributes.get(REASON, ""),
        interrupted=attributes.get(INTERRUPTED, False),
        pruning=PrunedFrom(**attributes[PRUNING]) if PRUNING in attributes else None,
    )


def _losses(trial: FrozenTrial) -> dict[int, tuple[float, ...]]:
    found = {}
    for key, losses in trial.system_attrs.items():
        kind, _, epochs = key.rpartition(":")
        if kind == LOSSES:
            found[int(epochs)] = tuple(losses)
    return dict(sorted(found.items()))


def _with_zone(moment: datetime | None) -> datetime | None:
    """Optuna's times are local and say nothing of it."""
    return None if moment is None else moment.astimezone()
