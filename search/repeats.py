"""Other seeds for the best networks while a search runs: when they are worth a training, and who does it.

The best of many single trainings is partly luck. What is close to the best, or to the target, is known better after a
second and a third training, and counts by their mean from then on. A network that is proposed again is trained again
if that is so; and of every few trainings to the top rung one goes to the best network that is not known well enough: of
several budgets, to the best within each before the next best of any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean
from typing import Self

from search.ledger import Ledger
from search.seeds import derive
from search.settings import StudySettings
from space.candidate import Candidate, Run
from workers.job import Failed, Job, Outcome

RUNS = 3
"""Trainings of one candidate to the top rung, at most."""
EVERY = 4
"""Candidates trained to the top rung for each repeat that nobody proposed."""
ATTEMPTS = 2
"""Times that one of them is tried if it fails."""
SEED_DEVIATION = 0.0006
"""Of trainings that differ by their seed, as a fraction: about what it is for MNIST, on 10,000 images."""
_BELIEF = 4
"""Degrees of freedom that it counts for beside those of the study's own repeats."""
_NOISE = 2.0
"""Standard errors that a mean may lie off."""


def deviation(candidates: Iterable[Candidate]) -> float:
    """Standard deviation between seeds, from all candidates with several runs and from what is usual."""
    squares, freedom = _BELIEF * SEED_DEVIATION**2, _BELIEF
    for candidate in candidates:
        accuracies = [run.accuracy for run in candidate.runs]
        if len(accuracies) > 1:
            mean = fmean(accuracies)
            squares += sum((accuracy - mean) ** 2 for accuracy in accuracies)
            freedom += len(accuracies) - 1
    return sqrt(squares / freedom)


@dataclass(frozen=True)
class Standard:
    """What a mean must not be below by more than noise if another seed is to be worth a training."""

    level: float
    """The best mean of a study, or its target if that is lower."""
    deviation: float
    """Between seeds."""

    @classmethod
    def of(cls, candidates: Sequence[Candidate], target: float) -> Self:
        """That of searched candidates that were trained to the top rung, or of none."""
        best = max((one.mean for one in candidates if one.mean is not None), default=0.0)
        return cls(min(best, target), deviation(candidates))

    def admits(self, candidate: Candidate) -> bool:
        """Whether a candidate was trained to the top rung, has not had all its RUNS and may turn out to be better."""
        if candidate.mean is None or len(candidate.runs) >= RUNS:
            return False
        return candidate.mean + _NOISE * self.deviation / sqrt(len(candidate.runs)) >= self.level


class Repeater:
    """Takes on the repeats of one driver, and records them."""

    def __init__(self, ledger: Ledger, settings: StudySettings, living: Callable[[], Collection[int]]) -> None:
        """`living` tells the numbers of the study's drivers that are alive: what others took on is theirs."""
        self._ledger = ledger
        self._settings = settings
        self._living = living
        self._running: dict[Job, int] = {}
        self._failures: Counter[Job] = Counter()
        self.aims: Sequence[int] = settings.budgets
        """Most parameters that a network may have, for each that is searched for. Set from outside."""
        self.finished = 0
        """Candidates trained to the top rung since it was last seen whether a repeat is due. Set from outside."""

    @property
    def busy(self) -> bool:
        """Whether a repeat is in training here."""
        return bool(self._running)

    def next_job(self) -> Job | None:
        """A repeat that is due and that no driver is at: of the best network that is not known well enough."""
        if self.finished < EVERY:
            return None
        self.finished = 0
        if not self._due(self._ledger.recent()):  # nearly always, and then nobody waits for the lock
            return None
        with self._ledger.store.exclusively(self._ledger.name):
            due = self._due(self._ledger.candidates())
            return next((job for one in due if (job := self._claimed(one)) is not None), None)

    def _due(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """What may be repeated now, in the order in which it is to be."""
        rivals = self._rivals(candidates)
        repeats = len(self._running) + sum(len(one.repeats) for one in rivals)
        return self._worth_it(rivals) if (repeats + 1) * EVERY <= len(rivals) else []

    def take(self, number: int) -> Job | None:
        """One more training of a candidate, if that is worth it and no driver is at it; the study's lock is held."""
        worth_it = self._worth_it(self._rivals(self._ledger.candidates()))
        found = next((one for one in worth_it if one.number == number), None)
        return None if found is None else self._claimed(found)

    def _rivals(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Searched candidates that were trained to the top rung and are not too large to be of use, best first."""
        ceiling = max(self.aims, default=0)
        useful = [
            one for one in candidates if one.mean is not None and one.pruning is None and one.parameters <= ceiling
        ]
        return sorted(useful, key=lambda one: one.mean or 0.0, reverse=True)

    def _worth_it(self, rivals: Sequence[Candidate]) -> list[Candidate]:
        """Those of which another training is worth having for any aim: the best for each, then the next best."""
        places: dict[int, int] = {}
        for aim in self.aims:
            league = [one for one in rivals if one.parameters <= aim]
            standard = Standard.of(league, self._settings.target)
            for place, one in enumerate(league):
                if standard.admits(one):
                    places[one.number] = min(place, places.get(one.number, place))
        return sorted((one for one in rivals if one.number in places), key=lambda one: places[one.number])

    def _claimed(self, candidate: Candidate) -> Job | None:
        """A repeat of a candidate that this driver has taken on; None if none is left. The study's lock is held."""
        living, claim = self._living(), self._ledger.reruns.claim_repeat
        for place in range(1, RUNS):
            job = self._job(candidate, place)
            given_up = job in self._running or self._failures[job] >= ATTEMPTS
            if not given_up and claim(candidate.number, place, self._ledger.driver, living):
                self._running[job] = place
                return job
        return None

    def _job(self, candidate: Candidate, place: int) -> Job:
        return Job(
            kind="repeat",
            candidate=candidate.number,
            line=candidate.line,
            epochs=self._settings.rungs[-1],
            fold=0,  # as in the search itself
            seed=derive(self._settings.seed, "repeat", candidate.number, place),
        )

    def tell(self, job: Job, outcome: Outcome) -> None:
        """Record what came of a repeat; one that failed may be taken on again, ATTEMPTS times in all."""
        place = self._running.pop(job)
        if isinstance(outcome, Failed):
            self._failures[job] += 1
        else:
            run = Run(seed=job.seed, accuracy=outcome.accuracy, seconds=outcome.seconds)
            self._ledger.reruns.record_repeat(job.candidate, place, run)
