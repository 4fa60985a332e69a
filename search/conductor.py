"""Decides what is trained next and what comes of each result. Knows nothing of how jobs reach a worker."""

from __future__ import annotations

import time

from optuna.trial import Trial

from search.confirmation import Confirmer
from search.ledger import Ledger
from search.proposer import Proposer
from search.settings import RunLimits, StudySettings
from space.notation import write
from workers.job import Failed, Job, Outcome, Trained

HOPELESS = 10
"""Trainings that fail one after the other until a run gives up: then it is not the candidates that are wrong."""


class Conductor:
    """One run of one study. Not safe for threads: whoever drives it calls from one."""

    def __init__(self, ledger: Ledger, proposer: Proposer, settings: StudySettings, limits: RunLimits) -> None:
        self._ledger = ledger
        self._proposer = proposer
        self._settings = settings
        self._limits = limits
        self._confirmer = Confirmer(ledger, settings)
        self._training: dict[int, Trial] = {}
        self.trained_before = sum(candidate.is_trained for candidate in ledger.candidates())
        self._trained = self.trained_before
        self.deadline = None if limits.timeout is None else time.monotonic() + limits.timeout
        """time.monotonic() at which the run ends."""
        self._failures: list[str] = []
        self.interrupted = False
        """Set from outside to end the run."""
        self.winner = self._find_winner()

    @property
    def finished(self) -> bool:
        """Whether the run is to end now, whatever is in training."""
        timed_out = self.deadline is not None and time.monotonic() > self.deadline
        return self.winner is not None or self.interrupted or timed_out or self.hopeless is not None

    @property
    def hopeless(self) -> str | None:
        """Why the run gives up, if only failures have come of it lately."""
        if len(self._failures) < HOPELESS:
            return None
        return f"{len(self._failures)} trainings in a row failed, the last one with: {self._failures[-1]}"

    @property
    def exhausted(self) -> bool:
        """Whether nothing is in training and nothing will be."""
        return not self._training and not self._confirmer.busy and self._at_limit

    @property
    def _at_limit(self) -> bool:
        return self._trained + len(self._training) >= self._limits.trials

    def next_job(self) -> Job | None:
        """What to train next: a confirmation if one is due, else a new candidate; None if there is nothing yet."""
        if self.finished:
            return None
        job = self._confirmer.next_job()
        if job is None and not self._at_limit:
            return self._new_candidate()
        return job

    def _new_candidate(self) -> Job:
        proposal = self._proposer.propose()
        assert proposal.architecture.totals.parameters <= self._settings.budget
        job = Job(
            kind="candidate",
            candidate=proposal.trial.number,
            line=write(proposal.architecture),
            rungs=self._settings.rungs,
            fold=0,
            seed=proposal.seed,
        )
        self._training[proposal.trial.number] = proposal.trial
        return job

    def tell(self, job: Job, outcome: Outcome) -> bool:
        """Take in one training's outcome; True if the job is to go on with its next rung."""
        self._failures = [*self._failures, outcome.reason] if isinstance(outcome, Failed) else []
        if job.kind == "confirmation":
            self._confirmer.tell(job, outcome)
            if self._confirmer.confirmed(job.candidate):
                self._win(job.candidate)
            return False
        match outcome:
            case Failed(reason=reason):
                self._close(job.candidate)
                self._ledger.tell_failed(job.candidate, reason)
                return False
            case Trained():
                return self._tell_trained(job.candidate, outcome)

    def _tell_trained(self, number: int, outcome: Trained) -> bool:
        trial = self._training[number]
        self._ledger.report(trial, outcome)
        if outcome.epochs == self._settings.rungs[-1]:
            self._close(number)
            self._ledger.tell_complete(trial, outcome.accuracy)
            self._confirmer.consider(self._ledger.candidate(number))
            return False
        if trial.should_prune():
            self._close(number)
            self._ledger.tell_pruned(trial, outcome.epochs, self._settings.reduction)
            return False
        return True

    def _close(self, number: int) -> None:
        del self._training[number]
        self._trained += 1

    def close(self) -> None:
        """Leave nothing RUNNING: what is still in training is told FAIL and can be asked again."""
        for number in self._training:
            self._ledger.tell_failed(number, "interrupted: the run ended", interrupted=True)
        self._training.clear()

    def _find_winner(self) -> int | None:
        """The winner on record, or one whose last confirmation was written when the last run was killed."""
        if self._ledger.winner is not None:
            return self._ledger.winner
        for candidate in self._ledger.candidates():
            if candidate.confirmations and self._confirmer.confirmed(candidate.number):
                self._ledger.record_winner(candidate.number)
                return candidate.number
        return None

    def _win(self, number: int) -> None:
        self.winner = number
        self._ledger.record_winner(number)
