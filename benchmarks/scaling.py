"""How well a driver keeps many workers busy, and what it costs itself as a study grows.

Trainings take exactly one second and need no data, so that what is measured is everything else: sampling, counting,
storing, deciding, Ray Tune's hand-over. Real Ray workers, a real study on SQLite and on Postgres.

Efficiency is ideal time / time: the trainings' own seconds over the slots, over the time from when the first job is
asked for, as soon as all workers are there, to the last candidate's result taken in. Repeats of the best that are told
until then count as trainings; one that falls due in the end has a second to itself, and says nothing of the driver.
The driver's time per candidate is all the time it spends on one, workers aside, in studies that hold 100, 1,000 and
5,000 trials already.
Run with `make bench`, or `python -m benchmarks.scaling`; it writes benchmarks/scaling.md. Takes about ten minutes.
"""

from __future__ import annotations

import os
import platform
import random
import statistics
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from search import ray_environment

ray_environment.prepare(None)

from search import storage, tuning
from search.conductor import Conductor
from search.drivers import Presence
from search.ledger import Ledger, RungResult
from search.proposer import Proposer
from search.samplers import SAMPLERS, make
from search.settings import RunLimits, StudySettings
from search.site import Site
from space.fitting import parameters
from space.notation import read
from tests.postgres import programs, server
from workers.desk import AtDesk
from workers.job import Job, Outcome, Task, Trained

SECONDS = 1.0
"""Of a training."""
CANDIDATES = {2: 500, 8: 500, 32: 500}
"""By slots."""
SIZES = (100, 1000, 5000)
"""Trials in a study when the driver's time per candidate is taken."""
TIMED = 40
"""Candidates that it is taken over."""
SETTINGS = StudySettings.make("mnist", 10_000, 1.0)
REPORT = Path(__file__).with_name("scaling.md")


def accuracy(job: Job) -> float:
    """A world in which larger networks are better, and equally large ones far apart, so that hardly any is repeated."""
    share = min(1.0, read(job.line).totals.parameters / SETTINGS.budget)
    return 0.6 * share + 0.3 * zlib.crc32(job.line.encode()) / 2**32 + 0.001 * job.epochs


class Sleeper(AtDesk):
    """A worker whose trainings take one second."""

    def work(self, task: Task) -> Outcome:
        assert isinstance(task, Job)
        time.sleep(SECONDS)
        return Trained(losses=(1.0,) * task.epochs, accuracy=accuracy(task), seconds=SECONDS)


class Timed(Conductor):
    """A conductor that begins when all workers are there, and notes when that was and what it has come to since."""

    def __init__(self, slots: int, *arguments: Any) -> None:
        self.slots = slots
        self.begun = 0.0
        self.told = 0
        self.trainings = 0
        """Told when the last candidate was told."""
        self.ended = 0.0
        """When that was."""
        super().__init__(*arguments)

    def next_jobs(self, wanted: int) -> list[Job]:
        if not self.begun and self.crew.workers < self.slots:
            return []
        self.begun = self.begun or time.perf_counter()
        return super().next_jobs(wanted)

    def tell(self, job: Job, outcome: Outcome) -> None:
        super().tell(job, outcome)
        self.told += 1
        if job.kind == "candidate":
            self.trainings, self.ended = self.told, time.perf_counter()


@contextmanager
def conducting(url: URL, study: str, trials: int, slots: int = 0) -> Iterator[Timed]:
    """A driver of a study in which one training of one epoch is all that a candidate gets."""
    store = storage.open_or_create(url)
    settings = replace(SETTINGS, rungs=(1,))
    ledger = Ledger.create(store, study, settings)
    presence = Presence(store.engine, study)
    ledger.driver = presence.number
    sampler = make(SAMPLERS[0], settings.space, 0, settings.budget)
    proposer = Proposer(ledger, settings, sampler, trials, cold_start=True)
    try:
        yield Timed(slots, ledger, proposer, settings, RunLimits(trials=trials), presence)
    finally:
        presence.leave()
        store.close()


def efficiency(url: URL, slots: int) -> tuple[float, float]:
    """Ideal time / time of that many trainings, and the seconds that they took."""
    with conducting(url, f"slots-{slots}", CANDIDATES[slots], slots) as conductor:
        tuning.run(conductor, Sleeper, {}, Site(workers=slots), lambda: None)
        conductor.close()
    seconds = conductor.ended - conductor.begun
    return SECONDS * conductor.trainings / slots / seconds, seconds


def driver_seconds(url: URL, size: int) -> float:
    """Median seconds that the driver spends on one candidate, in a study that holds `size` trials already."""
    with conducting(url, "sizes", 10**9) as conductor:
        fill(conductor._ledger, size)
        spent = []
        for _ in range(TIMED):
            before = time.perf_counter()
            job = conductor.next_job()
            assert job is not None
            conductor.tell(job, Trained(losses=(1.0,), accuracy=accuracy(job), seconds=SECONDS))
            spent.append(time.perf_counter() - before)
    return statistics.median(spent)


def fill(ledger: Ledger, size: int) -> None:
    """Put random candidates into a study until it holds `size`, trained or over budget as they come."""
    rng = random.Random(size)
    space, budget = SETTINGS.space, SETTINGS.budget
    for _ in range(size - len(ledger.candidates())):
        choices = space.random(rng)
        count = parameters(space, choices)
        if count > budget:
            ledger.reject(space, choices, budget)
        else:
            ledger.tell_complete(ledger.begin(space, choices, budget), RungResult(1, 0.9 * count / budget, SECONDS))


@contextmanager
def databases() -> Iterator[dict[str, URL]]:
    """Fresh ones by name; Postgres where its server is installed."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        found = {"SQLite": storage.parse(f"sqlite:///{directory}/studies.db")}
        if programs() is not None:
            found["Postgres"] = stack.enter_context(server()).url()
        yield found


def conditions() -> str:
    """What the numbers hold for."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("optuna", "ray", "sqlalchemy"))
    cores = len(os.sched_getaffinity(0))
    return f"{date.today()}, Python {platform.python_version()}, {packages}, {cores} cores ({platform.machine()})"


def main() -> None:
    """Measure, print, and write the report."""
    lines = [
        "# A driver's efficiency and its time per candidate",
        "",
        f"Measured by `python -m benchmarks.scaling`: {conditions()}; the database and all workers on the same cores.",
        "",
        "| database | slots | candidates | seconds | efficiency |",
        "|---|---|---|---|---|",
    ]
    with databases() as urls:
        for name, url in urls.items():
            for slots in CANDIDATES:
                share, seconds = efficiency(url, slots)
                lines.append(f"| {name} | {slots} | {CANDIDATES[slots]} | {seconds:.1f} | {share:.2f} |")
                print(lines[-1], flush=True)
        lines += ["", "| database | trials in the study | driver's ms per candidate |", "|---|---|---|"]
        for name, url in urls.items():
            for size in SIZES:
                lines.append(f"| {name} | {size:,} | {1000 * driver_seconds(url, size):.0f} |")
                print(lines[-1], flush=True)
    REPORT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
