"""A sampler that predicts networks before they are trained, and proposes the most promising of many."""

from __future__ import annotations

from itertools import cycle
from math import log
from typing import Any, NamedTuple, Self

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from search.evolution import Mutation, trained
from search.regression import Floats, Regression
from search.seeds import derive
from search.seen_study import aim_of
from space.architecture import Architecture
from space.features import FEATURES, features
from space.filling import settle
from space.ranges import Choices
from space.search_space import SearchSpace

ENOUGH = 10
"""Trained candidates until there is a prediction."""
POOL = 64
"""Networks that a proposal is the most promising of."""
NEW = 4
"""Of them, drawn for each proposal: fitting a draw to the budget takes longer than all else."""
RENEWAL = 100
"""A regression serves until one trained candidate in so many is new to it."""
_FAR = 4.0
"""Standard deviations from the mean beyond which a feature counts as no farther."""
_LEAST = 1e-4
"""The smallest fraction of wrong images that counts."""


class Guided(Mutation):
    """Learns by linear regression what in a network makes for few errors, and chooses from random draws and mutations.

    For each proposal coefficients are drawn from their posterior (Thompson sampling), so that what is not known yet is
    tried: many workers that ask at once get different networks. Every training teaches it, short ones as well: each is
    compared with those of the same length. Networks are looked at as they would be trained, made to fit the budget.
    """

    def __init__(self, space: SearchSpace, seed: int, budget: int) -> None:
        """`budget` is the most parameters of what it proposes, where no smaller number is aimed at."""
        super().__init__(space, derive(seed, "draws"))
        self._budget = budget
        self._noise = np.random.default_rng(derive(seed, "posterior"))
        self._known: dict[int, Floats] = {}
        """Features of candidates, by their number."""
        self._old: set[Architecture] = set()
        """Networks that were trained, drawn or proposed."""
        self._pools: dict[int, list[_Draw]] = {}
        """Draws that were not proposed yet, by the most parameters that they were made to have."""
        self._guess: _Guess | None = None
        self._mutates = cycle((False, True))

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The draw that is most promising; a random one while there are too few results."""
        candidates = trained(study)
        if len(candidates) < ENOUGH:
            return self._space.random(self._rng)
        guess = self._learnt(candidates)
        coefficients = guess.regression.draw(self._noise)
        aim = aim_of(study) or self._budget
        pool = self._pools.setdefault(aim, [])
        for _ in range(NEW if pool else POOL):
            choices = self._mutant(candidates) if next(self._mutates) else self._space.random(self._rng)
            network = self._space.architecture(settle(self._space, choices, aim))
            if network not in self._old:
                self._old.add(network)
                pool.append(_Draw(choices, np.array(features(network))))
        if not pool:
            return self._space.random(self._rng)
        errors = guess.standard(np.array([one.features for one in pool])) @ coefficients
        order = np.argsort(errors, kind="stable")
        self._pools[aim] = [pool[place] for place in order[1:POOL]]
        return dict(pool[order[0]].choices)

    def _learnt(self, candidates: list[FrozenTrial]) -> _Guess:
        known = self._guess
        if known is None or (len(candidates) - known.candidates) * RENEWAL >= len(candidates):
            rows, results = [self._row(one) for one in candidates], [one.intermediate_values for one in candidates]
            known = self._guess = _Guess.fit(rows, results)
        return known

    def _row(self, trial: FrozenTrial) -> Floats:
        if trial.number not in self._known:
            network = self._space.architecture(trial.params)
            self._old.add(network)
            self._known[trial.number] = np.array(features(network))
        return self._known[trial.number]


class _Draw(NamedTuple):
    """A network that may be proposed."""

    choices: Choices
    """As drawn."""
    features: Floats
    """(features,): as it would be trained."""


class _Guess(NamedTuple):
    """What is known of errors by features."""

    candidates: int
    """It was made of so many."""
    mean: Floats
    """(features,)"""
    deviation: Floats
    """(features,)"""
    regression: Regression
    """Of the logarithm of the fraction of wrong images by standardised features."""

    @classmethod
    def fit(cls, rows: list[Floats], results: list[dict[int, float]]) -> Self:
        """To accuracies by epochs, of candidates with these features; each is compared with others of its length."""
        x = np.array(rows)
        mean, deviation = x.mean(axis=0), x.std(axis=0)
        standardised = _standard(x, mean, deviation)
        parts, targets = [np.empty((0, len(FEATURES)))], [np.empty(0)]
        for epochs in {length for each in results for length in each}:
            places = [place for place, each in enumerate(results) if epochs in each]
            errors = np.array([log(max(1 - results[place][epochs], _LEAST)) for place in places])
            parts.append(standardised[places] - standardised[places].mean(axis=0))
            targets.append(errors - errors.mean())
        return cls(len(rows), mean, deviation, Regression.fit(np.concatenate(parts), np.concatenate(targets)))

    def standard(self, rows: Floats) -> Floats:
        """(networks, features) as the regression takes them."""
        return _standard(rows, self.mean, self.deviation)


def _standard(x: Floats, mean: Floats, deviation: Floats) -> Floats:
    """What is the same for all that was trained says nothing."""
    found: Floats = np.clip((x - mean) / np.where(deviation > 0, deviation, np.inf), -_FAR, _FAR)
    return found
