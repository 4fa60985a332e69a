"""A driver process whose trainings only sleep: everything real but the workers.

Arguments: database URL, candidates of the study, seconds of a training. A line on stdout for each rung told.
"""

from __future__ import annotations

import sys
import time

from search import storage
from search.conductor import Conductor
from search.drivers import Presence
from search.ledger import Ledger
from search.patience import Patience
from search.proposer import Proposer
from search.quick_tpe import QuickTPE
from search.seeds import derive
from search.settings import RunLimits, StudySettings
from space.notation import read
from workers.job import Job, Trained

STUDY = "study"
SETTINGS = StudySettings.make("digits", 3000, 1.0)


def accuracy(line: str, epochs: int) -> float:
    """What a network reaches in this world: never the target of 1."""
    return 0.9 * min(1.0, read(line).totals.parameters / 3000) + 0.001 * epochs


def result(job: Job, seconds: float) -> Trained:
    time.sleep(seconds)
    return Trained(losses=(1.0,) * job.epochs, accuracy=accuracy(job.line, job.epochs), seconds=seconds)


def conduct(conductor: Conductor, seconds: float) -> None:
    while not conductor.finished:
        conductor.look_around()
        job = conductor.next_job()
        if job is None:
            time.sleep(0.05)
            continue
        conductor.tell(job, result(job, seconds))
        if job.kind == "candidate":
            print(job.candidate, job.epochs, flush=True)


def main(url: str, trials: int, seconds: float) -> None:
    store = storage.open_or_create(storage.parse(url), Patience(60))
    store.patience.tell = lambda line: print(line or "back", file=sys.stderr, flush=True)
    ledger = Ledger.create(store, STUDY, SETTINGS)
    presence = Presence(store.engine, STUDY)
    ledger.driver = presence.number
    sampler = QuickTPE(seed=derive(0, "sampler", presence.ordinal))
    proposer = Proposer(ledger, SETTINGS, sampler, trials, ordinal=presence.ordinal)
    conductor = Conductor(ledger, proposer, SETTINGS, RunLimits(trials=trials), presence)
    conduct(conductor, seconds)
    conductor.close()
    presence.leave()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
