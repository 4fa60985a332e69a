"""Hits are confirmed before they are believed: fresh trainings, other seeds, folds that played no part in choosing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from statistics import fmean

from search.ledger import Ledger
from search.seeds import derive
from search.settings import CONFIRMATIONS, StudySettings
from space.candidate import Candidate, Confirmation, State
from workers.job import Failed, Job, Outcome

ATTEMPTS = 2
"""Times that one confirmation is tried if its training fails."""


class Confirmer:
    """Knows which hits of the study are still to be confirmed, and takes on what no other driver has."""

    def __init__(self, ledger: Ledger, settings: StudySettings, living: Callable[[], Collection[int]]) -> None:
        """`living` tells the numbers of the study's drivers that are alive: what others took on is theirs."""
        self._ledger = ledger
        self._settings = settings
        self._living = living
        self.ceiling = settings.budget
        """Most parameters that a hit may have to be worth confirming. Set from outside."""
        self._pending: dict[int, Candidate] = {}
        self._running: dict[Job, int] = {}
        self._failures: dict[Job, int] = {}
        self.refresh()

    @property
    def busy(self) -> bool:
        """Whether a confirmation is due or in training, here or elsewhere."""
        return bool(self._pending or self._running)

    def refresh(self) -> None:
        """Look through the study for hits that are not confirmed, whoever found them."""
        given_up = {job.candidate for job, count in self._failures.items() if count >= ATTEMPTS}
        hits = [candidate for candidate in self._ledger.candidates() if self._is_pending(candidate)]
        hits.sort(key=lambda candidate: candidate.parameters)
        self._pending = {hit.number: hit for hit in hits if hit.number not in given_up}

    def _is_pending(self, candidate: Candidate) -> bool:
        """Whether it reached the target at the top rung, lacks confirmations and would be a winner with them."""
        hit = candidate.state == State.COMPLETE and (candidate.accuracy or 0.0) >= self._settings.target
        wanted = hit and candidate.pruning is None and candidate.parameters <= self.ceiling
        return wanted and len(candidate.confirmations) < CONFIRMATIONS

    def next_job(self) -> Job | None:
        """A confirmation to train, if one is due that no other driver has taken on; small networks first."""
        if not self._pending:
            return None
        living, claim = self._living(), self._ledger.reruns.claim_confirmation
        for candidate in self._pending.values():
            for place in range(CONFIRMATIONS):
                job = self._job(candidate, place)
                if job not in self._running and claim(candidate.number, place, self._ledger.driver, living):
                    self._running[job] = place
                    return job
        return None

    def _job(self, candidate: Candidate, place: int) -> Job:
        return Job(
            kind="confirmation",
            candidate=candidate.number,
            line=candidate.line,
            epochs=self._settings.rungs[-1],
            fold=1 + place,  # the search itself validates on fold 0
            seed=derive(self._settings.seed, "confirmation", candidate.number, place),
        )

    def tell(self, job: Job, outcome: Outcome) -> None:
        """Record what came of a confirmation; one that failed is due again, at most ATTEMPTS times."""
        place = self._running.pop(job)
        if isinstance(outcome, Failed):
            self._failures[job] = self._failures.get(job, 0) + 1
        else:
            found = Confirmation(fold=job.fold, seed=job.seed, accuracy=outcome.accuracy, seconds=outcome.seconds)
            self._ledger.reruns.record_confirmation(job.candidate, place, found)
        self.refresh()

    def confirmed(self, number: int) -> bool:
        """Whether all of a candidate's confirmations are there and their mean reaches the target."""
        there = self._ledger.reruns.confirmations(number).values()
        return len(there) == CONFIRMATIONS and fmean(run.accuracy for run in there) >= self._settings.target
