"""How jobs reach workers: a desk where each waits for its next one, and the Ray Tune trainable that does so."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import ray
from ray import tune

from workers.job import Fitted, Outcome, Task, to_result


class Desk:
    """Where workers wait for their next job: made a Ray actor by the driver, beside which it runs."""

    def __init__(self) -> None:
        self._jobs: defaultdict[str, asyncio.Queue[Task]] = defaultdict(asyncio.Queue)

    async def take(self, worker: str) -> Task:
        """The next job of a worker, as soon as there is one."""
        return await self._jobs[worker].get()

    async def put(self, worker: str, job: Task) -> None:
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
        job: Task = ray.get(self.desk.take.remote(self.name))
        return to_result(self.work(job))

    def work(self, task: Task) -> Outcome | Fitted:
        """Do one job."""
        raise NotImplementedError

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing is kept: a job begins afresh wherever it runs."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing was kept."""
