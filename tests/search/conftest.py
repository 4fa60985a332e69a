"""A study in a real SQLite file, and a conductor driven in this process instead of by Ray."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from sqlalchemy.engine import URL

from search import conditions, prune, storage, verify
from search.conductor import Conductor
from search.drivers import Presence
from search.ledger import Ledger, RungResult
from search.proposer import Proposer
from search.settings import RunLimits, StudySettings
from search.storage import Store
from space.candidate import Candidate
from space.notation import read
from tests.search.bench import Bench
from workers.job import Job, Outcome, Trained

Train = Callable[[Job], Outcome]
"""What a worker would make of a job."""


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Begins processes whose output can be read; none outlives its test."""
    begun: list[subprocess.Popen[str]] = []

    def begin(command: list[str], **options: Any) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        process: subprocess.Popen[str] = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, **options)
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture
def settings() -> StudySettings:
    return StudySettings.make("digits", 3000, 0.9, rungs=(1, 4, 16))


@pytest.fixture(params=["sqlite", "postgres"])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same contract holds for each."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'studies.db'}"
    url: URL = request.getfixturevalue("postgres_url")
    return url.render_as_string(hide_password=False)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'studies.db'}"


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = storage.open_or_create(storage.parse(database))
    yield opened
    opened.close()


@pytest.fixture
def open_ledger(database: str, settings: StudySettings) -> Iterator[Callable[[], Ledger]]:
    """Opens the same study each time it is called, as another process would, and is one of its drivers."""
    presences: list[Presence] = []

    def open_it() -> Ledger:
        store = storage.open_or_create(storage.parse(database))
        ledger = Ledger.create(store, "study", settings)
        presence = Presence(store.engine, "study")
        presences.append(presence)
        ledger.driver = presence.number
        return ledger

    yield open_it
    for presence in presences:
        presence.leave()


@pytest.fixture
def ledger(open_ledger: Callable[[], Ledger]) -> Ledger:
    return open_ledger()


class Crew:
    """A driver's presence without a heartbeat: who is alive is what the test says."""

    def __init__(self, number: int) -> None:
        self.alive = {number}
        self.told_to_stop = False

    def living(self) -> set[int]:
        return self.alive


@pytest.fixture
def make_conductor(settings: StudySettings) -> Callable[..., Conductor]:
    def make(ledger: Ledger, **limits: float) -> Conductor:
        sampler = optuna.samplers.RandomSampler(seed=len(ledger.candidates()))
        chosen = RunLimits(**limits)  # type: ignore[arg-type]
        proposer = Proposer(ledger, settings, sampler, chosen.trials, cold_start=True)
        crew: Any = Crew(ledger.driver)
        return Conductor(ledger, proposer, settings, chosen, crew)

    return make


@pytest.fixture
def drive() -> Callable[[Conductor, Train], list[Job]]:
    """Runs a conductor to its end with one worker; gives back all jobs that reached the worker."""

    def run(conductor: Conductor, train: Train) -> list[Job]:
        jobs = []
        while (job := conductor.next_job()) is not None:
            jobs.append(job)
            conductor.tell(job, train(job))
        return jobs

    return run


@pytest.fixture
def by_size() -> Train:
    """A world in which a network's accuracy is its share of 3,000 parameters, and grows a little with training."""

    def train(job: Job) -> Outcome:
        share = min(1.0, read(job.line).totals.parameters / 3000)
        return Trained(losses=(1 - share,) * job.epochs, accuracy=0.95 * share + 0.0005 * job.epochs, seconds=0.1)

    return train


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    """Takes Ray's place wherever weights are wanted."""
    made = Bench()
    monkeypatch.setenv("PETITNET_HOME", str(tmp_path / "home"))
    for module in (verify, prune):
        monkeypatch.setattr(module, "train_batch", made.train_batch)
    for module in (conditions, verify):
        monkeypatch.setattr(module, "sources", made)
    return made


@pytest.fixture
def candidate(ledger: Ledger, settings: StudySettings) -> Candidate:
    """Trained to the top rung."""
    number = ledger.begin(settings.space, settings.space.random(random.Random(1)), settings.budget)
    ledger.tell_complete(number, RungResult(16, 0.85, 1.0))
    return ledger.candidate(number)
