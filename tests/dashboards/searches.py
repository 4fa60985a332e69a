"""Searches made up for views: candidates of every fate, with their times and losses."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from dashboards.pareto.points import Study
from space.candidate import Candidate, State
from tests.dashboards.studies import candidate, study

BEGUN = datetime(2026, 11, 21, 10, tzinfo=UTC)
RUNGS = (1, 4, 16)


def timed(number: int, begun: float, ended: float | None, rungs: dict[int, float], **more: Any) -> Candidate:
    """A candidate with the seconds at which it began and ended since the study's beginning."""
    told: dict[str, Any] = {
        "begun": BEGUN + timedelta(seconds=begun),
        "ended": None if ended is None else BEGUN + timedelta(seconds=ended),
        "rungs": rungs,
        "losses": {epochs: _losses(epochs, accuracy) for epochs, accuracy in rungs.items()},
    }
    return candidate(number, more.pop("parameters", 5000), None, **(told | more))


def searched(*candidates: Candidate, **more: Any) -> Study:
    """A study of rungs."""
    return study(*candidates, **({"rungs": RUNGS} | more))


@cache
def search(count: int, seed: int = 0) -> Study:
    """A search that learns its budget of 10,000 parameters, with a target of 99.4 %; a few are still in training."""
    rng = random.Random(seed)
    clock = 0.0
    candidates = []
    for number in range(count):
        share = number / count
        parameters = round(10_000 * rng.lognormvariate(0.5 * (1 - share) - 0.25, 0.75 - 0.5 * share))
        seconds = 0.01 if parameters > 10_000 else rng.uniform(5, 20)
        clock += seconds
        candidates.append(_drawn(rng, number, parameters, clock, count))
    return searched(*candidates, name="mnist-10000-0.994", dataset="mnist", target=0.994, importance=_importance())


def _drawn(rng: random.Random, number: int, parameters: int, clock: float, count: int) -> Candidate:
    if parameters > 10_000:
        return timed(number, clock, clock, {}, parameters=parameters, state=State.OVER_BUDGET)
    luck = rng.gauss(0, 0.25)
    error = 0.008 * (10_000 / parameters) ** 0.5 * 2**luck
    rungs = {epochs: round(1 - error * (16 / epochs) ** 0.36, 4) for epochs in RUNGS}
    if rng.random() < 0.02:
        return timed(number, clock, clock + 3, {}, parameters=parameters, state=State.FAILED)
    told = {"parameters": parameters, "seconds": 12.5}
    if number >= count - 2:
        return timed(number, clock, None, {}, state=State.RUNNING, **told)
    if luck > -0.15:
        return timed(number, clock, clock + 12, {1: rungs[1]}, state=State.PRUNED, **told)
    if luck > -0.35:
        return timed(number, clock, clock + 60, {1: rungs[1], 4: rungs[4]}, state=State.PRUNED, **told)
    return timed(number, clock, clock + 200, rungs, **told)


def _losses(epochs: int, accuracy: float) -> tuple[float, ...]:
    return tuple(round(0.25 + 4 * (1 - accuracy) + 0.9 / epoch**1.3, 4) for epoch in range(1, epochs + 1))


def _importance() -> dict[str, float]:
    names = ["depth1", "width1", "growth1_2", "kernel1", "depth2", "width2", "pool2", "transition", "transition1"]
    names += ["norm", "bias", "padding", "head", "head_kernel", "finish", "dropout", "dropout_from", "depth3"]
    weights = [1 / (place + 1) for place in range(len(names))]
    return {name: weight / sum(weights) for name, weight in zip(names, weights, strict=True)}
