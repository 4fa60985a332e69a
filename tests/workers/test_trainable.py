from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ray import tune
from ray.tune.trainable import trainable as tune_trainable

from workers.dataset import DataSet
from workers.job import Failed, Job, Outcome, Trained, from_result
from workers.numerics import Numerics, machine
from workers.recipe import Recipe
from workers.trainable import TrainJob, Workplace

LINE = "1x8x8-4c3pnr-P2-3c3p-G"


def job(line: str = LINE, epochs: int = 1, *, seed: int = 0, fold: int = 0, timeout: float | None = None) -> Job:
    return Job(kind="candidate", candidate=0, line=line, epochs=epochs, fold=fold, seed=seed, timeout=timeout)


class Queue:
    """A desk in this process: what `take.remote` gives back is the job itself, and `ray.get` leaves it as it is."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.take = self

    def remote(self, worker: str) -> Job:
        assert worker == "anna"
        return self.jobs.pop(0)


Do = Callable[..., list[Any]]


@pytest.fixture
def do(few: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Do:
    """What one worker in this process, handed its data as Ray Tune hands them over, reports of these jobs."""
    monkeypatch.setattr(tune_trainable, "DEFAULT_STORAGE_PATH", str(tmp_path))
    monkeypatch.setattr("ray._private.worker._post_init_hooks", [])  # or every later cluster would be handed the data
    monkeypatch.setattr("ray.get", lambda job: job)

    def done(*jobs: Job, known: dict[str, Numerics] | None = None) -> list[Any]:
        desk = Queue()
        desk.jobs = list(jobs)
        workplace = Workplace(
            recipe=Recipe(epochs=0, batch=12), numerics={machine(): Numerics()} if known is None else known
        )
        hired = tune.with_parameters(TrainJob, desk=desk, data=few, workplace=workplace)
        worker: Any = hired({"worker": "anna", "kind": "cpu"})  # Ray's own methods have no annotations
        assert "outcome" not in worker.train()  # it has begun
        return [from_result(worker.train()) for _ in jobs]

    return done


def accuracy_and_loss(found: Outcome) -> tuple[float, float]:
    assert isinstance(found, Trained)
    return found.accuracy, found.losses[-1]


def test_each_step_is_one_job_trained_afresh(do: Do) -> None:
    first, second, third = do(job(epochs=1), job(epochs=2), job(epochs=2))

    assert isinstance(first, Trained)
    assert isinstance(second, Trained)
    assert (first.epochs, second.epochs) == (1, 2)
    assert first.losses[-1] != second.losses[-1]
    assert accuracy_and_loss(second) == accuracy_and_loss(third)
    assert accuracy_and_loss(second) == accuracy_and_loss(do(job(epochs=2))[0])


def test_jobs_differ_by_fold_and_seed(do: Do) -> None:
    assert len({accuracy_and_loss(found) for found in do(job(), job(seed=1), job(fold=1))}) == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1x8x8-8c3q", "ArchitectureError: no layer is written 'q' (in '8c3q')"),
        ("1x8x8-8c9-G", "ArchitectureError: 8c9 needs a map of at least 9 pixels a side, but gets 1x8x8"),
        ("", "ArchitectureError: an architecture begins with its image, as in 1x28x28, but got ''"),
    ],
)
def test_a_line_that_cannot_be_read_is_a_failure_and_the_worker_goes_on(line: str, reason: str, do: Do) -> None:
    failed, trained = do(job(line, 4), job())

    assert failed == Failed(epochs=4, reason=reason)
    assert isinstance(trained, Trained)


def test_a_network_for_other_images_is_a_failure(do: Do) -> None:
    (found,) = do(job("3x8x8-4c3pnr-3c3p-G"))

    assert isinstance(found, Failed)
    assert found.epochs == 1
    assert "RuntimeError: " in found.reason


def test_a_timeout_is_a_failure_that_says_the_seconds_and_every_job_has_its_own(do: Do) -> None:
    late, in_time = do(job(epochs=2, timeout=0), job(timeout=3_600))

    assert late == Failed(epochs=2, reason="timeout: not done within 0 s")
    assert isinstance(in_time, Trained)


def test_a_worker_on_another_kind_of_machine_measures_for_itself(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[Numerics] = []

    def measure() -> Numerics:
        measured.append(Numerics())
        return measured[0]

    monkeypatch.setattr("workers.trainable.measure", measure)
    do(job(), known={"another machine": Numerics(bfloat16=True)})
    assert len(measured) == 1


def test_a_worker_uses_one_thread(do: Do) -> None:
    torch.set_num_threads(2)
    do(job())

    assert torch.get_num_threads() == 1


STUCK = """
import threading
import time
import numpy as np
from workers import desk, trainable
from workers.dataset import make
from workers.job import Job
from workers.numerics import Numerics, machine
from workers.recipe import Recipe

class Stuck(trainable.TrainJob):
    def carry_out(self, job, deadline):
        print("stuck", flush=True)
        threading.Event().wait()

    def setup(self, config):
        data = make("few", np.ones((6, 1, 8, 8), np.uint8), np.zeros(6, np.int64), "")
        workplace = trainable.Workplace(recipe=Recipe(epochs=0), numerics={machine(): Numerics()})
        super().setup(config, self, data, workplace)
        self.take = self

    def remote(self, worker):
        return Job(kind="candidate", candidate=0, line="1x8x8-1c3-G", epochs=1, fold=0, seed=0, timeout=0.0)

trainable._GRACE = 0.1
desk.ray.get = lambda job: job
worker = Stuck({"worker": "anna", "kind": "cpu"})
worker.train()
worker.train()
print("done")
"""


def test_a_worker_that_is_stuck_ends(tmp_path: Path) -> None:
    environment = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", STUCK], capture_output=True, text=True, check=False, env=environment, timeout=120
    )

    assert (done.returncode, done.stdout) == (1, "stuck\n"), done.stderr
