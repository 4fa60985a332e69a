"""Hits are confirmed before they are believed: fresh trainings, other seeds, folds that played no part in choosing."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import fmean

from search.ledger import Ledger
from search.seeds import derive
from search.settings import CONFIRMATIONS, StudySettings
from space.candidate import Candidate, Confirmation, State
from workers.job import Failed, Job, Outcome

ATTEMPTS = 2
"""Times that one confirmation is tried if its worker dies or its time is up."""


@dataclass(frozen=True)
class _Due:
    job: Job
    place: int
    attempt: int = 1


class Confirmer:
    """Knows which hits are still to be confirmed and which are."""

    def __init__(self, ledger: Ledger, settings: StudySettings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._due: deque[_Due] = deque()
        self._running: dict[Job, _Due] = {}
        for candidate in sorted(ledger.candidates(), key=lambda candidate: candidate.parameters):
            self.consider(candidate)

    @property
    def busy(self) -> bool:
        """Whether a confirmation is due or in training."""
        return bool(self._due or self._running)

    def consider(self, candidate: Candidate) -> None:
        """Queue the confirmations that a candidate at the top rung with the target's accuracy still lacks."""
        accuracy = candidate.accuracy
        if candidate.state != State.COMPLETE or accuracy is None or accuracy < self._settings.target:
            return
        there = self._ledger.confirmations(candidate.number)
        for place in range(CONFIRMATIONS):
            if place not in there:
                self._due.append(_Due(self._job(candidate, place), place))

    def _job(self, candidate: Candidate, place: int) -> Job:
        return Job(
            kind="confirmation",
            candidate=candidate.number,
            line=candidate.line,
            rungs=self._settings.rungs[-1:],
            fold=1 + place,  # the search itself validates on fold 0
            seed=derive(self._settings.seed, "confirmation", candidate.number, place),
        )

    def next_job(self) -> Job | None:
        """A confirmation to train, if one is due."""
        if not self._due:
            return None
        due = self._due.popleft()
        self._running[due.job] = due
        return due.job

    def tell(self, job: Job, outcome: Outcome) -> None:
        """Record what came of a confirmation, or try again where it failed."""
        due = self._running.pop(job)
        if isinstance(outcome, Failed):
            if due.attempt < ATTEMPTS:
                self._due.appendleft(_Due(job, due.place, due.attempt + 1))
            else:
                self._due = deque(other for other in self._due if other.job.candidate != job.candidate)
            return
        found = Confirmation(fold=job.fold, seed=job.seed, accuracy=outcome.accuracy, seconds=outcome.seconds)
        self._ledger.record_confirmation(job.candidate, due.place, found)

    def confirmed(self, number: int) -> bool:
        """Whether all of a candidate's confirmations are there and their mean reaches the target."""
        there = self._ledger.confirmations(number).values()
        return len(there) == CONFIRMATIONS and fmean(run.accuracy for run in there) >= self._settings.target
