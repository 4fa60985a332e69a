"""How long a run takes: many runs drawn by chance, with the prices of their trainings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from search.calibration import Calibration
from search.plan import Plan
from search.pricing import Prices, Pricing
from search.settings import CONFIRMATIONS, StudySettings

CONFIDENCE = 0.9
"""Of every interval."""
_RUNS = 500
"""Drawn for each interval."""
_DRAWN = 1000
"""Candidates of a run that are drawn one by one; where there are more, they cost in proportion."""
MOST_GOING_ON = 2.5
"""By how many times the share of a rung that goes on may exceed that of candidates that do not get better.

The sampler learns, and a late candidate then beats more than its share of the early ones: in the runs counted in
docs/experiments.md 1.5 to 2.3 times a quarter went on, and 1.1 to 1.9 times a sixth.
"""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Until so many candidates have been trained, each as far as it went, and a hit confirmed for each budget."""

    candidates: int
    hours: float
    """The median of the runs drawn."""
    interval: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """How long a run takes, and by what."""

    calibration: Calibration
    slots: int
    """Trainings at once."""
    estimates: tuple[Estimate, ...]
    confidence: float = CONFIDENCE


def forecast(plan: Plan, calibration: Calibration, slots: int, numbers: Sequence[int]) -> Forecast:
    """An estimate for each of `numbers` candidates; equal arguments give equal ones."""
    pricing = Pricing(calibration, plan.settings, [*plan.first, *plan.candidates])
    estimates = []
    for number in numbers:
        rng = np.random.default_rng(plan.settings.seed)
        run = _Run(plan.settings, len(plan.published), number, slots)
        hours = [run.seconds(pricing.sample(rng), rng) / 3600 for _ in range(_RUNS)]
        tail = (1 - CONFIDENCE) / 2
        low, median, high = np.quantile(hours, (tail, 0.5, 1 - tail)).tolist()
        estimates.append(Estimate(candidates=number, hours=median, interval=(low, high)))
    return Forecast(calibration=calibration, slots=slots, estimates=tuple(estimates))


@dataclass(frozen=True)
class _Run:
    settings: StudySettings
    published: int
    """How many of the networks are trained first."""
    number: int
    """Candidates to train."""
    slots: int

    def seconds(self, prices: Prices, rng: np.random.Generator) -> float:
        """One run drawn by chance."""
        chosen = self._candidates(len(prices.epoch), rng)
        longest = sum(prices.training(epochs)[chosen[0]] for epochs in self.settings.rungs)
        trained = 0.0
        for epochs, going in zip(self.settings.rungs, self._rungs(chosen, rng), strict=True):
            trained += prices.training(epochs)[going].sum()
        confirmations = CONFIRMATIONS * len(self.settings.budgets)
        confirming = ceil(confirmations / self.slots) * prices.training(self.settings.rungs[-1])[chosen[0]]
        return float(max(trained * self.number / len(chosen) / self.slots, longest) + confirming)

    def _candidates(self, networks: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Places of the candidates' networks: the published ones, then draws from all others; in a random order."""
        count = min(self.number, _DRAWN)
        first = np.arange(min(self.published, count))
        return rng.permutation(np.append(first, rng.integers(self.published, networks, count - len(first))))

    def _rungs(self, chosen: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Those of `chosen` that are trained at each rung: the first ones, and of each rung at least one goes on."""
        found = [chosen]
        for _ in self.settings.rungs[1:]:
            share = rng.uniform(1, MOST_GOING_ON) / self.settings.reduction
            found.append(chosen[: max(1, round(share * len(found[-1])))])
        return found
