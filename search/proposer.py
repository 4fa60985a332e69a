"""Proposes candidates within the budget: asks the study, counts, and tells what is over budget PRUNED at once."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

from optuna.trial import Trial

from search.ledger import Ledger
from search.seeds import derive
from search.settings import StudySettings
from space.architecture import Architecture
from space.candidate import State
from space.fitting import shrink
from space.ranges import Choices
from space.search_space import SearchSpace

PATIENCE = 64
"""Proposals over budget in a row after which the last one is shrunk until it fits."""
STARTUP = 20
"""Candidates drawn by the space's own odds before the sampler proposes: with fewer results to learn from it would draw
every value of a range alike, and most such networks are poor."""
SHRUNK = "shrunk"
RANDOM = "random"


@dataclass(frozen=True)
class Wish:
    """Choices that are asked before the sampler's own."""

    choices: Choices
    origin: str
    again: int | None = None
    """Number of the interrupted candidate that they repeat."""


@dataclass(frozen=True)
class Proposal:
    """A candidate within the budget, asked and described in the study, not trained yet."""

    trial: Trial
    architecture: Architecture
    seed: int
    """Of its training."""


class Proposer:
    """One study's source of candidates."""

    def __init__(self, ledger: Ledger, space: SearchSpace, settings: StudySettings, wishes: list[Wish]) -> None:
        self._ledger = ledger
        self._space = space
        self._settings = settings
        self._wishes = deque(wishes)
        within = [candidate for candidate in ledger.candidates() if candidate.state != State.OVER_BUDGET]
        self._proposed = len(within)
        self._rng = random.Random(derive(settings.seed, "random", len(within)))  # noqa: S311

    def propose(self) -> Proposal:
        """The next candidate that fits; it takes at most PATIENCE proposals that do not."""
        budget = self._settings.budget
        over_in_a_row = 0
        while True:
            wish = self._next_wish()
            if wish is not None:
                self._ledger.enqueue(wish.choices, wish.origin, wish.again)
            trial, choices = self._ledger.ask(self._space)
            architecture = self._space.architecture(choices)
            seed = derive(self._settings.seed, "training", trial.number)
            parameters = architecture.totals.parameters
            self._ledger.describe(trial, architecture, seed)
            self._ledger.constrain(trial, parameters, budget)
            if parameters <= budget:
                self._proposed += 1
                return Proposal(trial, architecture, seed)
            self._ledger.tell_over_budget(trial, parameters, budget)
            over_in_a_row += 1
            if over_in_a_row == PATIENCE:
                self._wishes.appendleft(Wish(shrink(self._space, choices, budget), SHRUNK))
                over_in_a_row = 0

    def _next_wish(self) -> Wish | None:
        """What is asked instead of the sampler's own proposal: what was wished for, then random draws to begin with."""
        if self._wishes:
            return self._wishes.popleft()
        if self._proposed < STARTUP:
            return Wish(self._space.random(self._rng), RANDOM)
        return None
