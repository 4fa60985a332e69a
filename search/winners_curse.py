"""How much of a study's best single result is luck, and what is known of that network besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.text import counted, percent, points
from search.repeats import deviation
from space.candidate import Candidate, Run
from space.statistics import excess_of_best


@dataclass(frozen=True, kw_only=True)
class WinnersCurse:
    """The best of all single trainings to the top rung, beside what more trainings of the same network say."""

    candidate: Candidate
    """Whose training it was."""
    single: float
    """Its validation accuracy."""
    count: int
    """Single trainings that it is the best of."""
    excess: float
    """What the best of so many would be too good by, were all networks equal."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "candidate": self.candidate.number,
            "single": self.single,
            "best_of": self.count,
            "expected_excess": self.excess,
            "mean": self.candidate.mean,
            "standard_error": self.candidate.standard_error,
            "runs": len(self.candidate.runs),
            "verified": self.candidate.verified_accuracy,
        }

    def __str__(self) -> str:
        return f"{self._best}; {self._mean}; {self._test}."

    @property
    def _best(self) -> str:
        luck = f"; were all equal, chance would put the best {points(self.excess)} too high" if self.excess else ""
        return f"Best of {counted(self.count, 'single run')}: {percent(self.single)} (#{self.candidate.number}){luck}"

    @property
    def _mean(self) -> str:
        runs, error = len(self.candidate.runs), self.candidate.standard_error
        if error is None:
            return "no other seed of that network was trained"
        return f"mean of its {counted(runs, 'seed')}: {percent(self.candidate.mean)}, standard error {points(error)}"

    @property
    def _test(self) -> str:
        verified, seeds = self.candidate.verified_accuracy, len(self.candidate.verifications)
        if verified is None:
            return "its test accuracy was not read"
        return f"test accuracy, read once for each of {counted(seeds, 'fresh seed')}: {percent(verified)}"


def winners_curse(candidates: Sequence[Candidate]) -> WinnersCurse | None:
    """That of a study; None where nothing was trained to the top rung."""
    runs = [(run, candidate) for candidate in candidates if candidate.pruning is None for run in candidate.runs]
    if not runs:
        return None

    def accuracy(pair: tuple[Run, Candidate]) -> float:
        return pair[0].accuracy

    best, candidate = max(runs, key=accuracy)
    excess = excess_of_best(len(runs), deviation(candidates))
    return WinnersCurse(candidate=candidate, single=best.accuracy, count=len(runs), excess=excess)
