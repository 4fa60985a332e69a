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
from workers.numerics import Numerics
from workers.recipe import Recipe
from workers.trainable import TrainJob, Workplace

LINE = "1x8x8-4c3pnr-P2-3c3p-G"


def job(line: str = LINE, *rungs: int, seed: int = 0, fold: int = 0, number: int = 0) -> Job:
    return Job(kind="candidate", candidate=number, line=line, rungs=rungs or (1, 2), fold=fold, seed=seed)


Hire = Callable[..., TrainJob]


@pytest.fixture
def hire(few: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hire:
    """A worker in this process, handed its data as Ray Tune hands them over."""
    monkeypatch.setattr(tune_trainable, "DEFAULT_STORAGE_PATH", str(tmp_path))
    monkeypatch.setattr("ray._private.worker._post_init_hooks", [])  # or every later cluster would be handed the data

    def hired(first: Job, *, timeout: float | None = None, data: DataSet = few) -> TrainJob:
        workplace = Workplace(numerics=Numerics(), recipe=Recipe(epochs=0, batch=12), timeout=timeout)
        worker = tune.with_parameters(TrainJob, data=data, workplace=workplace)(first.to_config())
        assert isinstance(worker, TrainJob)
        return worker

    return hired


def outcome(worker: TrainJob) -> Outcome:
    """What the worker's next step reports, as Tune gets it."""
    worker_of_tune: Any = worker  # Ray's own methods have no annotations
    return from_result(worker_of_tune.train())


def take(worker: TrainJob, other: Job) -> bool:
    worker_of_tune: Any = worker
    return bool(worker_of_tune.reset(other.to_config()))


def accuracy_and_loss(found: Outcome) -> tuple[float, float]:
    assert isinstance(found, Trained)
    return found.accuracy, found.loss


def test_each_step_is_one_rung(hire: Hire) -> None:
    worker = hire(job(LINE, 1, 3))
    first, second = outcome(worker), outcome(worker)

    assert isinstance(first, Trained)
    assert isinstance(second, Trained)
    assert (first.epochs, second.epochs) == (1, 3)
    assert first.loss != second.loss


def test_each_rung_trains_afresh(hire: Hire) -> None:
    worker = hire(job(LINE, 1, 2))
    outcome(worker)

    assert accuracy_and_loss(outcome(worker)) == accuracy_and_loss(outcome(hire(job(LINE, 2))))


def test_a_worker_takes_another_job(hire: Hire) -> None:
    worker = hire(job(LINE, 1, 2))
    outcome(worker)
    other = job("1x8x8-3c3nr-3c3p-G", 1, seed=9, fold=3, number=1)

    assert take(worker, other)
    found = outcome(worker)
    assert found.epochs == 1
    assert accuracy_and_loss(found) == accuracy_and_loss(outcome(hire(other)))


def test_jobs_differ_by_fold_and_seed(hire: Hire) -> None:
    jobs = [job(LINE, 1), job(LINE, 1, seed=1), job(LINE, 1, fold=1)]

    assert len({accuracy_and_loss(outcome(hire(one))) for one in jobs}) == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1x8x8-8c3q", "ArchitectureError: no layer is written 'q' (in '8c3q')"),
        ("1x8x8-8c9-G", "ArchitectureError: 8c9 needs a map of at least 9 pixels a side, but gets 1x8x8"),
        ("", "ArchitectureError: an architecture begins with its image, as in 1x28x28, but got ''"),
    ],
)
def test_a_line_that_cannot_be_read_is_a_failure(line: str, reason: str, hire: Hire) -> None:
    worker = hire(job(line, 4))

    assert outcome(worker) == Failed(epochs=4, reason=reason)
    assert take(worker, job())
    assert isinstance(outcome(worker), Trained)


def test_a_network_for_other_images_is_a_failure(hire: Hire) -> None:
    found = outcome(hire(job("3x8x8-4c3pnr-3c3p-G", 1)))

    assert isinstance(found, Failed)
    assert found.epochs == 1
    assert "RuntimeError: " in found.reason


def test_a_timeout_is_a_failure_that_says_the_seconds(hire: Hire) -> None:
    worker = hire(job(LINE, 2), timeout=0)

    assert outcome(worker) == Failed(epochs=2, reason="timeout: not done within 0 s")


def test_every_job_has_its_own_time(hire: Hire) -> None:
    worker = hire(job(LINE, 1), timeout=3_600)

    assert isinstance(outcome(worker), Trained)
    assert take(worker, job(LINE, 2))
    assert isinstance(outcome(worker), Trained)


def test_a_worker_can_be_saved_and_restored_without_anything_kept(hire: Hire, tmp_path: Path) -> None:
    worker = hire(job(LINE, 1))
    (tmp_path / "checkpoint").mkdir()
    worker.save_checkpoint(str(tmp_path / "checkpoint"))
    worker.load_checkpoint(str(tmp_path / "checkpoint"))

    assert list((tmp_path / "checkpoint").iterdir()) == []
    assert isinstance(outcome(worker), Trained)


def test_a_worker_uses_one_thread(hire: Hire) -> None:
    torch.set_num_threads(2)
    hire(job())

    assert torch.get_num_threads() == 1


STUCK = """
import threading
import time
import numpy as np
from workers import trainable
from workers.dataset import make
from workers.job import Job
from workers.numerics import Numerics
from workers.recipe import Recipe

class Stuck(trainable.TrainJob):
    def rung(self, epochs):
        print("stuck", flush=True)
        threading.Event().wait()

    def setup(self, config):
        data = make("few", np.ones((6, 1, 8, 8), np.uint8), np.zeros(6, np.int64), "")
        super().setup(config, data, trainable.Workplace(numerics=Numerics(), recipe=Recipe(epochs=0), timeout=0.0))

trainable._GRACE = 0.1
job = Job(kind="candidate", candidate=0, line="1x8x8-1c3-G", rungs=(1,), fold=0, seed=0)
Stuck(job.to_config()).train()
print("done")
"""


def test_a_worker_that_is_stuck_ends(tmp_path: Path) -> None:
    environment = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", STUCK], capture_output=True, text=True, check=False, env=environment, timeout=120
    )

    assert (done.returncode, done.stdout) == (1, "stuck\n"), done.stderr
