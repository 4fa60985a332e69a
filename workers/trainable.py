"""The Ray Tune trainable: a worker that trains one job after another, each as its desk hands it over."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import ray
import torch
from ray import tune

from space.notation import read
from workers.dataset import DataSet
from workers.job import Failed, Job, Outcome, to_result
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


class Desk:
    """Where workers wait for their next job: made a Ray actor by the driver, beside which it runs."""

    def __init__(self) -> None:
        self._jobs: defaultdict[str, asyncio.Queue[Job]] = defaultdict(asyncio.Queue)

    async def take(self, worker: str) -> Job:
        """The next job of a worker, as soon as there is one."""
        return await self._jobs[worker].get()

    async def put(self, worker: str, job: Job) -> None:
        """Hand a worker its next job."""
        self._jobs[worker].put_nowait(job)


class AtDesk(tune.Trainable):
    """One worker: its first `step` reports that it has begun, each later one takes a job and reports its outcome."""

    def setup(self, config: dict[str, Any], desk: Any = None) -> None:
        """`config` holds the worker's name; `desk` is the actor that hands out jobs."""
        self.name = config["worker"]
        self.desk = desk
        self.begun = False

    def step(self) -> dict[str, Any]:
        if not self.begun:
            self.begun = True
            return {}
        job: Job = ray.get(self.desk.take.remote(self.name))
        return to_result(self.work(job))

    def work(self, job: Job) -> Outcome:
        """Do one job."""
        raise NotImplementedError

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing is kept: a job begins afresh wherever it runs."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing was kept."""


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
