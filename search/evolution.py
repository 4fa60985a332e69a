"""Samplers that change what did well, and the random draws that they begin with."""

from __future__ import annotations

import random
from heapq import nlargest
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, NSGAIISampler
from optuna.trial import FrozenTrial, TrialState

from space.ranges import Choices, Value
from space.search_space import SearchSpace

POPULATION = 50
"""Trained candidates that a parent is chosen from: the latest ones."""
RIVALS = 10
"""Drawn from them; the best becomes the parent."""
ELITE = 10
"""The best candidates, one of which is mutated."""
CHANGES = 3
"""Choices that a mutation draws again, at most."""
_DRAWS = 100
"""Until one has made another network: half of all choices are of no use to one network or the other."""


class RandomDraws(BaseSampler):
    """Random draws by the space's own odds, and nothing learnt."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._space = space
        self._rng = random.Random(seed)  # noqa: S311

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Nothing: whoever asks says what for."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A value for every range."""
        return self._space.random(self._rng)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A value for one range."""
        return next(one for one in self._space.dimensions if one.name == param_name).draw(self._rng)


class Evolution(RandomDraws):
    """Aging evolution (Real et al. 2019, arxiv.org/abs/1802.01548): one choice of the best of some recent candidates is
    drawn again, by the space's own odds."""

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A child of one of the study's trained candidates; a random draw where there is none."""
        population = trained(study)[-POPULATION:]
        if not population:
            return self._space.random(self._rng)
        rivals = self._rng.sample(population, min(RIVALS, len(population)))
        return self._descendant(max(rivals, key=_standing).params, changes=1)

    def _descendant(self, parent: Choices, changes: int) -> dict[str, Value]:
        """The parent with one choice drawn again, so many times, such that each time it is a network of its own."""
        found = dict(parent)
        family = {self._space.architecture(found)}
        for _ in range(changes):
            for _ in range(_DRAWS):
                dimension = self._rng.choice(self._space.dimensions)
                child = {**found, dimension.name: dimension.draw(self._rng)}
                network = self._space.architecture(child)
                if network not in family:
                    break
            found = child
            family.add(network)
        return found


class Mutation(Evolution):
    """A few choices of one of the best of all candidates are drawn again: greedier than aging evolution."""

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A child of one of the study's best trained candidates; a random draw where there is none."""
        candidates = trained(study)
        return self._mutant(candidates) if candidates else self._space.random(self._rng)

    def _mutant(self, candidates: list[FrozenTrial]) -> dict[str, Value]:
        """A child of one of the best of these."""
        parent = self._rng.choice(nlargest(ELITE, candidates, key=_standing))
        return self._descendant(parent.params, changes=self._rng.randint(1, CHANGES))


class Genetic(NSGAIISampler):
    """Optuna's NSGA-II (Deb et al. 2002), whose generations are counted off in the order of the study.

    Optuna writes a trial's generation down when it is asked; ours are asked before they are written, and those that
    are projected onto the budget are others than those asked.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(population_size=20, seed=seed)

    def get_trial_generation(self, study: Study, trial: FrozenTrial) -> int:
        """How many generations are complete."""
        return len(_complete(study)) // self._size

    def get_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        """The trials of a generation, trained to the end."""
        return _complete(study)[generation * self._size :][: self._size]

    @property
    def _size(self) -> int:
        assert self.population_size is not None
        return self.population_size


def trained(study: Study) -> list[FrozenTrial]:
    """Candidates that were trained and are done with, those left out that have no choices to learn from."""
    closed = study._get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED), use_cache=True)
    return [trial for trial in closed if trial.params and trial.intermediate_values]


def _complete(study: Study) -> list[FrozenTrial]:
    found = study._get_trials(deepcopy=False, states=(TrialState.COMPLETE,), use_cache=True)
    return [trial for trial in found if trial.params]


def _standing(trial: FrozenTrial) -> tuple[int, float]:
    """Who got farther is better, then who was more accurate there."""
    epochs = max(trial.intermediate_values)
    return epochs, trial.intermediate_values[epochs]
