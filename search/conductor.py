"""Decides what is trained next and what comes of each result. Knows nothing of how jobs reach a worker."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from search.artifacts import Artifact
from search.confirmation import Confirmer
from search.crew import Crew
from search.drivers import Presence
from search.keepsakes import keepsakes
from search.ledger import Ledger, RungResult
from search.promotion import Reached, goes_on_within
from search.proposer import Proposal, Proposer
from search.repeats import Repeater
from search.settings import RunLimits, StudySettings
from space.candidate import State
from space.fitting import parameters, smallest
from space.trail import Win, unmet
from workers.job import Failed, Job, Outcome, Trained

HOPELESS = 10
"""Trainings that fail one after the other until a run gives up: then it is not the candidates that are wrong."""
LOSSES = 3
"""Workers that may die on one job until the job is held responsible."""
PERIOD = 2.0
"""Seconds between two looks at what the other drivers have done."""


@dataclass
class _Training:
    """A candidate of ours that is being trained."""

    line: str
    parameters: int
    seed: int
    seconds: float = 0.0
    """All rungs so far."""


class Conductor:
    """One driver's run of one study, which other drivers may share. Not safe for threads: one thread drives it."""

    def __init__(
        self, ledger: Ledger, proposer: Proposer, settings: StudySettings, limits: RunLimits, presence: Presence
    ) -> None:
        self._ledger = ledger
        self._proposer = proposer
        self._settings = settings
        self._limits = limits
        self._presence = presence
        ledger.fail_abandoned(self._living)
        proposer.look_for_interrupted()
        self._confirmer = Confirmer(ledger, settings, self._living)
        self._repeater = Repeater(ledger, settings, self._living)
        self._training: dict[int, _Training] = {}
        self._ready: deque[Job] = deque()
        self._losses: Counter[Job] = Counter()
        self.trained_before = sum(candidate.is_trained for candidate in ledger.candidates())
        self.deadline = None if limits.timeout is None else time.monotonic() + limits.timeout
        """time.monotonic() at which the run ends."""
        self._failures: list[str] = []
        self.interrupted = False
        """Set from outside to end the run."""
        self.crew = Crew()
        """Set from outside: who trains now."""
        self.exhausted = False
        """Whether nothing of the study is in training anywhere and nothing will be, by the last look."""
        self._looked = time.monotonic()
        self._nothing_due = False
        self._record_missed()
        self.trail: tuple[Win, ...] = ()
        """The confirmed winners, by the last look."""
        self.aims: tuple[int, ...] = ()
        """Budgets that a candidate is still of use for; with none the run is over."""
        self._aim()

    def interrupt(self) -> None:
        """Have the run end; also a wait for a database that is away."""
        self.interrupted = True
        self._ledger.store.patience.given_up = True

    @property
    def winner(self) -> int | None:
        """Number of the smallest confirmed winner."""
        return self.trail[-1].number if self.trail else None

    @property
    def stopped(self) -> bool:
        """Whether `search stop` has asked this run to end."""
        return self._presence.told_to_stop

    @property
    def finished(self) -> bool:
        """Whether the run is to end now, whatever is in training."""
        timed_out = self.deadline is not None and time.monotonic() > self.deadline
        ended = self.interrupted or self.stopped or timed_out or self.exhausted
        return ended or not self.aims or self.hopeless is not None

    @property
    def hopeless(self) -> str | None:
        """Why the run gives up, if only failures have come of it lately."""
        if len(self._failures) < HOPELESS:
            return None
        return f"{len(self._failures)} trainings in a row failed, the last one with: {self._failures[-1]}"

    @property
    def spent(self) -> bool:
        """Whether the space has no network left that this run has not seen, as far as it can tell."""
        return self._proposer.is_spent

    def _living(self) -> set[int]:
        """Numbers of the study's drivers that may be alive; waits for a database that is away."""
        return self._ledger.store.patience.run(self._presence.living)

    def look_around(self) -> None:
        """Every PERIOD, take in what the other drivers have done, and what those left that died."""
        if time.monotonic() - self._looked >= PERIOD:
            self._look()

    def _look(self) -> None:
        self._ledger.fail_abandoned(self._living)
        self._ledger.fail_strays(self._training)
        self._proposer.look_for_interrupted()
        self._confirmer.refresh()
        self._aim()
        candidates = self._ledger.candidates()
        over = sum(candidate.is_trained for candidate in candidates) >= self._limits.trials or (
            self.spent and not any(candidate.state == State.RUNNING for candidate in candidates)
        )
        self.exhausted = over and not self._training and not self._confirmer.busy and not self._repeater.busy
        self._nothing_due = False
        self._looked = time.monotonic()

    def next_job(self) -> Job | None:
        """What to train next; None for now."""
        return next(iter(self.next_jobs(1)), None)

    def next_jobs(self, wanted: int) -> list[Job]:
        """What to train next, as much as is wanted: what is due already, then confirmations and repeats, then new
        candidates; fewer if there is nothing else for now.

        Many at once take the database hardly longer than one.
        """
        if wanted <= 0 or self.finished or (self._nothing_due and not self._ready):
            return []
        jobs = list(islice(self._due(), wanted))
        jobs += self._new_candidates(wanted - len(jobs))
        if not jobs and not self._training:
            self._look()
        self._nothing_due = len(jobs) < wanted
        return jobs

    def _due(self) -> Iterator[Job]:
        while self._ready:
            yield self._ready.popleft()
        while (job := self._confirmer.next_job() or self._repeater.next_job()) is not None:
            yield job

    def _new_candidates(self, wanted: int) -> list[Job]:
        found = self._proposer.propose(wanted, self._repeater.take) if wanted else []
        return [self._begun(one) if isinstance(one, Proposal) else one for one in found]

    def _begun(self, proposal: Proposal) -> Job:
        seed = self._ledger.seed(proposal.number)
        self._training[proposal.number] = _Training(proposal.line, proposal.parameters, seed)
        return self._rung(proposal.number, self._settings.rungs[0])

    def _rung(self, number: int, epochs: int) -> Job:
        training = self._training[number]
        limit = self._limits.trial_timeout
        return Job(
            kind="candidate",
            candidate=number,
            line=training.line,
            epochs=epochs,
            fold=0,
            seed=training.seed,
            timeout=None if limit is None else max(0.0, limit - training.seconds),
            wants_weights=epochs == self._settings.rungs[-1],
        )

    def lose(self, job: Job, reason: str) -> None:
        """The worker died on a job: another one shall try, LOSSES times in all."""
        self._losses[job] += 1
        if self._losses[job] < LOSSES:
            self._ready.appendleft(job)
        else:
            text = f"its workers died {LOSSES} times, the last time with: {reason}"
            self.tell(job, Failed(epochs=job.epochs, reason=text))

    def tell(self, job: Job, outcome: Outcome) -> None:
        """Take in one training's outcome."""
        self._nothing_due = False
        self._failures = [*self._failures, outcome.reason] if isinstance(outcome, Failed) else []
        if job.kind == "confirmation":
            self._confirmer.tell(job, outcome)
            if self._confirmer.confirmed(job.candidate):
                self._ledger.record_winner(job.candidate)
                self._aim()
            return
        if job.kind == "repeat":
            self._repeater.tell(job, outcome)
            self._confirmer.refresh()
            return
        match outcome:
            case Failed(reason=reason):
                del self._training[job.candidate]
                self._ledger.tell_failed(job.candidate, reason)
            case Trained():
                self._tell_trained(job.candidate, outcome)

    def _tell_trained(self, number: int, outcome: Trained) -> None:
        """Record a rung and decide from the whole study's results whether the candidate goes on."""
        training = self._training[number]
        training.seconds += outcome.seconds
        result = RungResult(outcome.epochs, outcome.accuracy, training.seconds, outcome.losses)
        rungs = self._settings.rungs
        if result.epochs == rungs[-1]:
            self._ledger.tell_complete(number, result, self._keepsakes(number, result, outcome))
            self._repeater.finished += 1
            if result.accuracy >= self._settings.target:
                self._confirmer.refresh()
        elif reason := self._reason_to_prune(training.parameters, result):
            self._ledger.tell_pruned(number, result, reason)
        elif self._ledger.report(number, result):
            self._ready.append(self._rung(number, rungs[rungs.index(result.epochs) + 1]))
            return
        del self._training[number]

    def _reason_to_prune(self, count: int, result: RungResult) -> str | None:
        """Why a candidate of `count` parameters does not go on to the next rung; None if it does."""
        own, aims = Reached(count, result.accuracy), self.aims or self._settings.budgets
        if count > max(aims):
            return f"{count} parameters, and by now at most {max(aims)} are of use"
        reduction = self._settings.reduction
        if goes_on_within(aims, own, [*self._ledger.rung(result.epochs), own], reduction):
            return None
        return f"not in the best 1 of {reduction} after {result.epochs} epochs"

    def _keepsakes(self, number: int, result: RungResult, outcome: Trained) -> list[Artifact]:
        """Of a candidate that nothing trained to the end beats in both accuracy and fewness of parameters."""
        mine = self._ledger.on_front(number, result.accuracy)
        return [] if mine is None else keepsakes(mine, result, outcome.weights)

    def close(self) -> None:
        """Leave nothing RUNNING: what is still in training is told FAIL and can be asked again."""
        for number in self._training:
            self._ledger.tell_failed(number, "interrupted: the run ended", interrupted=True)
        self._training.clear()
        self._ledger.fail_strays(())

    def _record_missed(self) -> None:
        """Winners whose last confirmation was written when a run was killed."""
        trail = self._ledger.trail
        for candidate in sorted(self._ledger.candidates(), key=lambda candidate: -candidate.parameters):
            is_smaller = not trail or candidate.parameters < trail[-1].parameters
            if candidate.confirmations and is_smaller and self._confirmer.confirmed(candidate.number):
                self._ledger.record_winner(candidate.number)

    def _aim(self) -> None:
        """Read what has been won, by whichever driver, and have the search go on for what is left."""
        self.trail = self._ledger.trail
        self.aims = unmet(self._settings.budgets, self.trail)
        if self._limits.shrink and not self.aims:
            below = self.trail[-1].parameters - 1
            self.aims = (below,) if below >= self._least else ()
        self._proposer.aim_at(self.aims)
        self._repeater.aims = self.aims
        self._confirmer.ceiling = max(self.aims, default=0)
        self._confirmer.refresh()

    @cached_property
    def _least(self) -> int:
        """Parameters of the smallest network."""
        return parameters(self._settings.space, smallest(self._settings.space))
