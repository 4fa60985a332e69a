"""The Ray Tune trainable: an actor that trains one job after another, one rung a step."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from ray import tune

from space.notation import read
from workers.dataset import DataSet
from workers.job import Failed, Job, Outcome, to_result
from workers.numerics import Numerics, device
from workers.recipe import Recipe
from workers.training import Batches, batches, train

_GRACE = 20.0
"""Seconds after its time is up in which a training may still notice by itself; then the worker ends."""


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """What every job of a run has in common."""

    numerics: Numerics
    recipe: Recipe
    """With epochs of no meaning: each rung sets its own."""
    timeout: float | None
    """Seconds that a job may take, all rungs together."""


class TrainJob(tune.Trainable):
    """Trains the job that its config describes; each `step` is one whole rung and reports its outcome."""

    def setup(self, config: dict[str, Any], data: DataSet | None = None, workplace: Workplace | None = None) -> None:
        assert data is not None, "handed over by tune.with_parameters"
        assert workplace is not None, "handed over by tune.with_parameters"
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        self.data = data
        self.workplace = workplace
        self.folds: dict[int, Batches] = {}
        self.take(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.take(new_config)
        return True

    def take(self, config: dict[str, Any]) -> None:
        """Begin another job."""
        self.job = Job.from_config(config)
        self.rungs = iter(self.job.rungs)
        timeout = self.workplace.timeout
        self.deadline = math.inf if timeout is None else time.monotonic() + timeout

    def step(self) -> dict[str, Any]:
        epochs = next(self.rungs)
        with _ends_with(self.deadline + _GRACE):
            return to_result(self.rung(epochs))

    def rung(self, epochs: int) -> Outcome:
        """One rung; whatever goes wrong in it comes back as a value."""
        fold = self.job.fold
        try:
            if fold not in self.folds:
                self.folds[fold] = batches(self.data, fold, self.workplace.numerics, device())
            recipe = replace(self.workplace.recipe, epochs=epochs)
            outcome = train(read(self.job.line), self.folds[fold], recipe, seed=self.job.seed, deadline=self.deadline)
        except Exception as error:
            return Failed(epochs=epochs, reason=f"{type(error).__name__}: {error}")
        if isinstance(outcome, Failed) and outcome.reason == "timeout":
            return replace(outcome, reason=f"timeout: not done within {self.workplace.timeout:g} s")
        return outcome

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing is kept: Tune saves before it hands an actor its next job, and a rung begins afresh."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing was kept."""


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
