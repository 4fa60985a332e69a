"""What can be said of a study before any training: the space, what the budget buys in it, what would be proposed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from statistics import median_low

from search.settings import StudySettings
from space.architecture import Architecture
from space.filling import settle
from space.fitting import largest, parameters, smallest
from space.known_points import Start, starts
from space.layers import Conv
from space.ranges import Choices
from space.search_space import SearchSpace
from space.uniform import Uniform, widest

DRAWS = 2000
"""Random networks that are counted."""
_BUILT = 300
"""Of them that are brought within the budget as the search does it; a projection takes some milliseconds."""

Deciles = tuple[int, int, int]
"""What one in ten, half and nine in ten do not exceed."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Parameters of the networks of a space."""

    smallest: int
    median: int
    """Of the random draws."""
    largest: int
    draws: int


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What one budget buys."""

    budget: int
    within: float
    """The fraction of the random draws that have at most that many parameters."""
    uniform: tuple[Uniform, ...]
    """The widest networks of equal convolutions."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that needs no training."""

    settings: StudySettings
    sizes: Sizes
    reaches: tuple[Reach, ...]
    """Of each budget, the smallest first."""
    published: tuple[Start, ...]
    """As they fit the budgets, in the order in which they are trained first; none from a cold start."""
    candidates: tuple[Architecture, ...]
    """Random draws as a search fits them to its budgets by turns: projected onto it, or as full as they say."""

    @property
    def first(self) -> tuple[Architecture, ...]:
        """The published networks as they are trained."""
        return tuple(self.settings.space.architecture(start.choices) for start in self.published)

    @property
    def proposals(self) -> float:
        """Written down for each random draw trained: one over all budgets is told PRUNED, its projection trained."""
        return 2 - self.reaches[-1].within

    @property
    def convolutions(self) -> Deciles:
        """In a candidate."""
        return deciles([len(_filters(network)) for network in self.candidates])

    @property
    def widest(self) -> Deciles:
        """Filters of a candidate's widest convolution."""
        return deciles([max(_filters(network)) for network in self.candidates])

    @property
    def macs(self) -> Deciles:
        """Of a candidate, for one image."""
        return deciles([network.totals.macs for network in self.candidates])

    def sample(self, count: int) -> list[Architecture]:
        """At most `count` networks that would be trained, no two equal, evenly along the order of their MACs."""
        known = dict.fromkeys([*self.first, *self.candidates])
        ordered = sorted(known, key=lambda network: network.totals.macs)
        places = {place * (len(ordered) - 1) // max(1, count - 1) for place in range(count)}
        return [ordered[place] for place in sorted(places)]


def make(settings: StudySettings, *, cold_start: bool = False) -> Plan:
    """Count and draw; the same for equal settings. Takes some seconds and creates nothing."""
    space, budgets = settings.space, settings.budgets
    rng = random.Random(settings.seed)  # noqa: S311
    draws = [space.random(rng) for _ in range(DRAWS)]
    counts = [parameters(space, choices) for choices in draws]
    return Plan(
        settings=settings,
        sizes=_sizes(space, counts),
        reaches=tuple(_reach(space, budget, counts) for budget in budgets),
        published=() if cold_start else tuple(starts(space, budgets)),
        candidates=tuple(map(partial(_candidate, space), cycle(budgets), draws[:_BUILT])),
    )


def _sizes(space: SearchSpace, counts: Sequence[int]) -> Sizes:
    return Sizes(
        smallest=parameters(space, smallest(space)),
        median=median_low(counts),
        largest=parameters(space, largest(space)),
        draws=len(counts),
    )


def _reach(space: SearchSpace, budget: int, counts: Sequence[int]) -> Reach:
    within = sum(count <= budget for count in counts) / len(counts)
    return Reach(budget=budget, within=within, uniform=widest(space, budget))


def _candidate(space: SearchSpace, budget: int, choices: Choices) -> Architecture:
    """What the search trains for these choices."""
    return space.architecture(settle(space, choices, budget))


def _filters(network: Architecture) -> list[int]:
    return [layer.filters for layer in network.layers if isinstance(layer, Conv)]


def deciles(values: Sequence[int]) -> Deciles:
    """The first, fifth and ninth decile of `values`, each one of them."""
    ordered = sorted(values)
    first, middle, ninth = (ordered[(len(ordered) - 1) * tenths // 10] for tenths in (1, 5, 9))
    return first, middle, ninth
