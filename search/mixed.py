"""Optuna's TPE and mutations of the best, by turns."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from search.evolution import Mutation, RandomDraws
from search.quick_tpe import QuickTPE
from search.seeds import derive
from space.search_space import SearchSpace


class Mixed(RandomDraws):
    """A model of what is good draws from all of the space, and mutations search around what is best.

    Each makes up for the other: TPE hardly ever proposes a network that is one step from a good one, and mutations
    alone stay where the first good ones were. What it is worth is measured by benchmarks/tabular.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed)
        self._turns = cycle((QuickTPE(derive(seed, "tpe")), Mutation(space, derive(seed, "mutation"))))

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A value for every range, by whose turn it is."""
        return next(self._turns).sample_relative(study, trial, search_space)
