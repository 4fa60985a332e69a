"""Who proposes candidates: the samplers that a run may choose from, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from space.search_space import SearchSpace

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

SAMPLERS = ("guided", "mixed", "tpe", "evolution", "gp", "nsga2", "random")
"""The first is the default: what docs/experiments.md says of them was measured by benchmarks/tabular."""


def make(name: str, space: SearchSpace, seed: int, budget: int) -> BaseSampler:
    """The sampler of that name, one of SAMPLERS, which proposes for `space` and a budget of parameters."""
    from search.evolution import Evolution, Genetic, RandomDraws
    from search.guided import Guided
    from search.mixed import Mixed
    from search.quick_tpe import QuickTPE

    match name:
        case "guided":
            return Guided(space, seed, budget)
        case "mixed":
            return Mixed(space, seed)
        case "tpe":
            return QuickTPE(seed)
        case "evolution":
            return Evolution(space, seed)
        case "gp":
            from optuna.samplers import GPSampler

            return GPSampler(seed=seed)
        case "nsga2":
            return Genetic(seed)
        case "random":
            return RandomDraws(space, seed)
    raise ValueError(f"sampler must be one of {', '.join(SAMPLERS)}, but got {name}")
