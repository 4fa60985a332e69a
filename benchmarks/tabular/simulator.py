"""Whole searches in simulated time: our own conductor, proposer, promotion and repeats, trainings answered by a World.

A study is a real one, in SQLite; workers are places in a queue. Time is counted in model-epochs: passes over the
training images, of all trainings together. What a run would name its best is followed after every training to the top
rung, and judged by what the world alone knows: its true accuracy.
"""

from __future__ import annotations

import heapq
import tempfile
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import optuna

from benchmarks.tabular import table
from benchmarks.tabular.world import Floats, World, accuracy
from search import samplers, storage
from search.conductor import Conductor
from search.drivers import Presence
from search.ledger import Ledger
from search.proposer import Proposer
from search.records import distributions
from search.settings import RUNGS, RunLimits, StudySettings
from space.architecture import Architecture
from space.identity import identity
from space.notation import read
from workers.job import Job, Trained

SLOTS = 4
"""Trainings at once."""
_SCRATCH = Path("/dev/shm")
"""Memory, where there is such a directory: a study of some hundred candidates is written in each search."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to search."""

    sampler: str
    rungs: tuple[int, ...] = RUNGS


@dataclass
class Course:
    """What a search had come to whenever a training to the top rung ended."""

    epochs: list[int] = field(default_factory=list)
    """Model-epochs spent."""
    claimed: list[float] = field(default_factory=list)
    """Validation accuracy of what the search would name its best: the mean where it was trained several times."""
    true: list[float] = field(default_factory=list)
    """That network's true accuracy."""
    largest: int = 0
    """Parameters of the largest network that was trained."""

    def until(self, threshold: float) -> float:
        """Model-epochs until the best so far truly reached `threshold`; infinite if it never did."""
        return next((spent for spent, true in zip(self.epochs, self.true, strict=True) if true >= threshold), np.inf)

    def after(self, epochs: int) -> tuple[float, float]:
        """Claimed and true accuracy of the best after so many model-epochs; 0 before the first."""
        place = bisect_left(self.epochs, epochs + 1) - 1
        return (self.claimed[place], self.true[place]) if place >= 0 else (0.0, 0.0)


class Truth:
    """A world as one search meets it."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._rng = np.random.default_rng(seed)
        self._known: dict[str, Floats] = {}

    def _means(self, architecture: Architecture) -> Floats:
        name = identity(architecture)
        if name not in self._known:
            self._known[name] = self._world.means([architecture])[0]
        return self._known[name]

    def train(self, architecture: Architecture, epochs: int) -> float:
        """Validation accuracy after one more training."""
        return self._world.once(self._means(architecture), epochs, self._rng)

    def true(self, architecture: Architecture) -> float:
        """Accuracy after the longest training, seeds aside."""
        return float(accuracy(self._means(architecture)[-1]))


def threshold(world: World, budget: int) -> float:
    """True accuracy that one in a hundred of the table's random networks within the budget reaches."""
    known = table.load()
    fitting = (known.parameters <= budget) & known.is_random
    networks = [one for one, fits in zip(known.architectures, fitting, strict=True) if fits]
    return float(np.quantile(accuracy(world.means(networks)[:, -1]), 0.99))


def ours(method: Method, truth: Truth, budget: int, seed: int, epochs: int) -> Course:
    """A search of ours until so many model-epochs are spent."""
    settings = StudySettings.make(table.DATASET, budget, 1.0, seed, method.rungs)
    course, spent, clock, begun = Course(), 0, 0.0, 0
    running: list[tuple[float, int, Job]] = []
    with conducting(settings, method.sampler) as (conductor, ledger):
        while spent < epochs:
            while len(running) < SLOTS and (job := conductor.next_job()) is not None:
                heapq.heappush(running, (clock + job.epochs, begun, job))
                begun += 1
            if not running:
                break  # the space is exhausted
            clock, _, job = heapq.heappop(running)
            architecture = read(job.line)
            spent += job.epochs
            course.largest = max(course.largest, architecture.totals.parameters)
            found = truth.train(architecture, job.epochs)
            conductor.tell(job, Trained(losses=(1.0,) * job.epochs, accuracy=found, seconds=float(job.epochs)))
            if job.epochs == method.rungs[-1]:
                _follow(course, spent, ledger, truth)
    return course


def _follow(course: Course, spent: int, ledger: Ledger, truth: Truth) -> None:
    best = max(ledger.candidates(), key=lambda candidate: candidate.mean or 0.0)
    course.epochs.append(spent)
    course.claimed.append(best.mean or 0.0)
    course.true.append(truth.true(read(best.line)))


@contextmanager
def conducting(settings: StudySettings, sampler: str) -> Iterator[tuple[Conductor, Ledger]]:
    """A driver of a fresh study."""
    where = _SCRATCH if _SCRATCH.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as directory:
        store = storage.open_or_create(storage.parse(f"sqlite:///{directory}/studies.db"))
        ledger = Ledger.create(store, "simulated", settings)
        presence = Presence(store.engine, "simulated")
        ledger.driver = presence.number
        chosen = samplers.make(sampler, settings.space, settings.seed, settings.budget)
        proposer = Proposer(ledger, settings, chosen, RunLimits().trials, cold_start=True)
        try:
            yield Conductor(ledger, proposer, settings, RunLimits(), presence), ledger
        finally:
            presence.leave()
            store.close()


def plain(truth: Truth, budget: int, seed: int, epochs: int) -> Course:
    """The script that a user would write: Optuna's TPE and its median pruner as they come, 16 epochs a network.

    A network over the budget is pruned by the objective. The pruner is asked after 1 and 4 epochs, and is told what
    complete trainings of that length come to: more than one could know in the middle of a training of 16.
    """
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed), pruner=optuna.pruners.MedianPruner()
    )
    course, ranges, networks = Course(), distributions(table.space()), {}
    spent = 0
    while spent < epochs:
        trial = study.ask(ranges)
        architecture = table.space().architecture(trial.params)
        if architecture.totals.parameters > budget:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            continue
        networks[trial.number] = architecture
        course.largest = max(course.largest, architecture.totals.parameters)
        reached = 0
        for rung in table.RUNGS:
            spent, reached = spent + rung - reached, rung
            found = truth.train(architecture, rung)
            trial.report(found, rung)
            if rung < table.RUNGS[-1] and trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, found)
            course.epochs.append(spent)
            course.claimed.append(study.best_value)
            course.true.append(truth.true(networks[study.best_trial.number]))
    return course
