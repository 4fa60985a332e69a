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

from space.notation import read
from workers.dataset import DataSet
from workers.desk import AtDesk
from workers.fit import carry_out
from workers.job import Failed, Fit, Fitted, Job, Outcome, Task
from workers.numerics import Numerics, device, machine, measure
from workers.process import prepare
from workers.recipe import Recipe
from workers.training import Batches, batches, train

_GRACE = 20.0
"""Seconds after its time is up in which a training may still notice by itself; then the worker ends."""


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """What every job of a run has in common."""

    recipe: Recipe
    """With epochs of no meaning: each job has its own, and a Fit its own recipe."""
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
        prepare()
        self.data = data
        self.recipe = workplace.recipe
        self.numerics = workplace.numerics.get(machine()) or measure()
        self.folds: dict[int | None, Batches] = {}

    def work(self, task: Task) -> Outcome | Fitted:
        deadline = math.inf if task.timeout is None else time.monotonic() + task.timeout
        with _ends_with(deadline + _GRACE):
            return self.carry_out(task, deadline)

    def carry_out(self, task: Task, deadline: float) -> Outcome | Fitted:
        """One task; whatever goes wrong in it comes back as a value. `deadline` is by time.monotonic()."""
        try:
            outcome = self._train(task, deadline)
        except Exception as error:
            return Failed(epochs=task.epochs, reason=f"{type(error).__name__}: {error}")
        if isinstance(outcome, Failed) and outcome.reason == "timeout":
            return replace(outcome, reason=f"timeout: not done within {task.timeout:g} s")
        return outcome

    def _train(self, task: Task, deadline: float) -> Outcome | Fitted:
        data = self._holding_out(task.fold)
        match task:
            case Job():
                recipe = replace(self.recipe, epochs=task.epochs)
                return train(
                    read(task.line), data, recipe, seed=task.seed, deadline=deadline, wants_weights=task.wants_weights
                )
            case Fit():
                return carry_out(task, data, deadline)

    def _holding_out(self, fold: int | None) -> Batches:
        """The images with this fold held out; they lie on the device once, whatever is held out."""
        if fold not in self.folds:
            made = batches(self.data, fold, self.numerics, device())
            there = next(iter(self.folds.values()), made)
            self.folds[fold] = replace(made, images=there.images, labels=there.labels)
        return self.folds[fold]


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
