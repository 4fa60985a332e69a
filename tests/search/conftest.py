"""A study in a real SQLite file, and a conductor driven in this process instead of by Ray."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from search import storage
from search.conductor import Conductor
from search.ledger import Ledger
from search.proposer import Proposer, Wish
from search.settings import RunLimits, StudySettings
from space.notation import read
from workers.job import Job, Outcome, Trained

Train = Callable[[Job, int], Outcome]
"""What a worker would make of one rung of a job."""


@pytest.fixture
def settings() -> StudySettings:
    return StudySettings.make("digits", 3000, 0.9)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'studies.db'}"


@pytest.fixture
def open_ledger(database: str, settings: StudySettings) -> Callable[[], Ledger]:
    """Opens the same study each time it is called, as another process would."""

    def open_it() -> Ledger:
        return Ledger.create(storage.open_storage(storage.parse(database)), "study", settings)

    return open_it


@pytest.fixture
def ledger(open_ledger: Callable[[], Ledger]) -> Ledger:
    return open_ledger()


@pytest.fixture
def make_conductor(settings: StudySettings) -> Callable[..., Conductor]:
    def make(ledger: Ledger, wishes: list[Wish] | None = None, **limits: float) -> Conductor:
        ledger.use(
            optuna.samplers.RandomSampler(seed=len(ledger.candidates())),
            optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=settings.reduction),
        )
        proposer = Proposer(ledger, settings.space, settings, wishes or [])
        return Conductor(ledger, proposer, settings, RunLimits(**limits))  # type: ignore[arg-type]

    return make


@pytest.fixture
def drive() -> Callable[[Conductor, Train], list[Job]]:
    """Runs a conductor to its end with one worker; gives back all jobs that reached the worker."""

    def run(conductor: Conductor, train: Train) -> list[Job]:
        jobs = []
        while (job := conductor.next_job()) is not None:
            jobs.append(job)
            for epochs in job.rungs:
                if not conductor.tell(job, train(job, epochs)):
                    break
        return jobs

    return run


@pytest.fixture
def by_size() -> Train:
    """A world in which a network's accuracy is its share of 3,000 parameters, and grows a little with training."""

    def train(job: Job, epochs: int) -> Outcome:
        share = min(1.0, read(job.line).totals.parameters / 3000)
        return Trained(epochs=epochs, accuracy=0.95 * share + 0.0005 * epochs, loss=1 - share, seconds=0.1)

    return train
