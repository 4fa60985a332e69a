"""The worker that trains: what it is handed once for all jobs, and what it makes of each."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from space.notation import read
from workers.dataset import DataSet
from workers.desk import AtDesk
from workers.job import Failed, Job, Outcome
from workers.numerics import Numerics, device, machine, measure
from workers.recipe import Recipe
from workers.training import Batches, batches, train

_GRACE = 20.0
"""Seconds after its time is up in which a training may still notice by itself; then the worker ends."""


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """What every job of a run has in common."""

    recipe: Recipe
    """With epochs of no meaning: each job has its own."""
    numerics: dict[str, Numerics] = field(default_factory=dict)
    """By the machine they were measured on; a worker on another kind measures for itself."""


class TrainJob(AtDesk):
    """Trains each job on the data set that all workers share."""

    def setup(
        self, config: dict[str, Any], desk: Any = None, data: DataSet | None = None, workplace: Workplace | None = None
    ) -> None:
        """What is shared is handed over by tune.with_parameters."""
        super().setup(config, desk)
        assert data is not None
        assert workplace is not None
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        self.data = data
        self.recipe = workplace.recipe
        self.numerics = workplace.numerics.get(machine()) or measure()
        self.folds: dict[int, Batches] = {}

    def work(self, job: Job) -> Outcome:
        deadline = math.inf if job.timeout is None else time.monotonic() + job.timeout
        with _ends_with(deadline + _GRACE):
            return self.carry_out(job, deadline)

    def carry_out(self, job: Job, deadline: float) -> Outcome:
        """One job; whatever goes wrong in it comes back as a value. `deadline` is by time.monotonic()."""
        try:
            if job.fold not in self.folds:
                self.folds[job.fold] = batches(self.data, job.fold, self.numerics, device())
            recipe = replace(self.recipe, epochs=job.epochs)
            outcome = train(read(job.line), self.folds[job.fold], recipe, seed=job.seed, deadline=deadline)
        except Exception as error:
            return Failed(epochs=job.epochs, reason=f"{type(error).__name__}: {error}")
        if isinstance(outcome, Failed) and outcome.reason == "timeout":
            return replace(outcome, reason=f"timeout: not done within {job.timeout:g} s")
        return outcome


@contextmanager
def _ends_with(deadline: float) -> Iterator[None]:
    """End this process at time.monotonic() == `deadline` if the block is still running then."""
    if math.isinf(deadline):
        yield
        return
    watchdog = threading.Timer(max(0.0, deadline - time.monotonic()), os._exit, args=(1,))
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()
