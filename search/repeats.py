"""Another seed for a network that is proposed again: when it is worth a training, and who does it.

The best of many single trainings is partly luck. What is close to the best, or to the target, is known better after a
second and a third training, and counts by their mean from then on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from math import sqrt
from statistics import fmean

from search.ledger import Ledger
from search.seeds import derive
from search.settings import StudySettings
from space.candidate import Candidate, Run
from workers.job import Failed, Job, Outcome

RUNS = 3
"""Trainings of one candidate to the top rung, at most."""
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


def is_worth_another(candidate: Candidate, candidates: Iterable[Candidate], target: float) -> bool:
    """Whether another seed of a candidate may change what is thought of it.

    It was trained to the top rung, has not had all its RUNS, and its mean is not below the best of the `candidates`,
    or the target if that is lower, by more than noise.
    """
    if candidate.mean is None or candidate.pruning is not None or len(candidate.runs) >= RUNS:
        return False
    rivals = [one for one in candidates if one.pruning is None]
    best = max((one.mean for one in rivals if one.mean is not None), default=0.0)
    error = deviation(rivals) / sqrt(len(candidate.runs))
    return candidate.mean + _NOISE * error >= min(best, target)


class Repeater:
    """Takes on the repeats of one driver, and records them."""

    def __init__(self, ledger: Ledger, settings: StudySettings, living: Callable[[], Collection[int]]) -> None:
        """`living` tells the numbers of the study's drivers that are alive: what others took on is theirs."""
        self._ledger = ledger
        self._settings = settings
        self._living = living
        self._running: dict[Job, int] = {}
        self._failures: Counter[Job] = Counter()

    @property
    def busy(self) -> bool:
        """Whether a repeat is in training here."""
        return bool(self._running)

    def take(self, number: int) -> Job | None:
        """One more training of a candidate, if that is worth it and no driver is at it; the study's lock is held."""
        candidates = self._ledger.candidates()
        if not is_worth_another(candidates[number], candidates, self._settings.target):
            return None
        living = self._living()
        for place in range(1, RUNS):
            job = self._job(candidates[number], place)
            given_up = job in self._running or self._failures[job] >= ATTEMPTS
            if not given_up and self._ledger.claim_repeat(number, place, living):
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
            self._ledger.record_repeat(job.candidate, place, run)
