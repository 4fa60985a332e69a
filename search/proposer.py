"""Proposes candidates within the budget: asks the study, counts, and tells what is over budget PRUNED at once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from optuna.trial import Trial

from search.ledger import Ledger
from search.seeds import derive
from search.settings import StudySettings
from space.architecture import Architecture
from space.fitting import shrink
from space.search_space import Choices, SearchSpace

PATIENCE = 64
"""Proposals over budget in a row after which the last one is shrunk until it fits."""
SHRUNK = "shrunk"


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

    def propose(self) -> Proposal:
        """The next candidate that fits; it takes at most PATIENCE proposals that do not."""
        budget = self._settings.budget
        over_in_a_row = 0
        while True:
            if self._wishes:
                wish = self._wishes.popleft()
                self._ledger.enqueue(wish.choices, wish.origin, wish.again)
            trial, choices = self._ledger.ask(self._space)
            architecture = self._space.architecture(choices)
            seed = derive(self._settings.seed, "training", trial.number)
            parameters = architecture.totals.parameters
            self._ledger.describe(trial, architecture, seed)
            self._ledger.constrain(trial, parameters, budget)
            if parameters <= budget:
                return Proposal(trial, architecture, seed)
            self._ledger.tell_over_budget(trial, parameters, budget)
            over_in_a_row += 1
            if over_in_a_row == PATIENCE:
                self._wishes.appendleft(Wish(shrink(self._space, choices, budget), SHRUNK))
                over_in_a_row = 0
