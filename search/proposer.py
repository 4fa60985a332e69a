"""Proposes candidates within the budget: asks the sampler, counts, and tells what is over budget PRUNED at once."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from optuna.samplers import BaseSampler

from search.ledger import Ledger
from search.records import SAMPLED
from search.seeds import derive
from search.settings import StudySettings
from space.filling import settle
from space.fitting import parameters
from space.known_points import published_in
from space.notation import write
from space.ranges import Choices, Value
from space.search_space import FILL, FULL
from workers.job import Job

STARTUP = 20
"""Candidates drawn by the space's own odds, and as full as the budget allows, before the sampler proposes: with fewer
results to learn from it would draw every value of a range alike, and most such networks are poor."""
ASKS = 20
"""Networks that are known already, one after the other, until random draws take the sampler's place."""
DRAWS = 200
"""As many random draws after that until the space counts as exhausted."""
RANDOM = "random"
PROJECTED = "projected"
"""The origin of what takes the place of a proposal over budget."""
PUBLISHED = "published: "
"""What the origin of a published network begins with."""
AGAIN = "again: #"
"""What the origin of a repeated candidate begins with."""


@dataclass(frozen=True)
class Wish:
    """Choices, and where they came from."""

    choices: Choices
    origin: str = SAMPLED
    again: int | None = None
    """Number of the interrupted candidate that they repeat."""
    rejected: tuple[Choices, str] | None = None
    """Choices over budget, and their origin, that they are the projection of."""


@dataclass(frozen=True)
class Proposal:
    """A candidate within the budget, written down in the study as RUNNING, not trained yet."""

    number: int
    line: str
    """The architecture."""
    parameters: int


class Proposer:
    """One driver's source of candidates for a study that other drivers may share."""

    def __init__(
        self,
        ledger: Ledger,
        settings: StudySettings,
        sampler: BaseSampler,
        trials: int,
        *,
        ordinal: int = 0,
        cold_start: bool = False,
    ) -> None:
        """`trials` is the most candidates that the study may have in training and trained.

        `ordinal` counts the drivers that the study had before, so that no two draw the same.
        """
        self._ledger = ledger
        self._settings = settings
        self._space = settings.space
        self._sampler = sampler
        self._trials = trials
        self._interrupted: deque[int] = deque()
        self._published = deque([] if cold_start else self._fitting_published())
        self._started = False
        self._in_vain = 0
        """Proposals of our own, since the last new network, that were none."""
        self._full = False
        """By the last look."""
        self.aims = settings.budgets
        """Budgets that a candidate is still of use for, to which draws are fitted in turn."""
        self._draws = ordinal
        self._rng = random.Random(derive(settings.seed, "random", ledger.within_budget(), ordinal))  # noqa: S311

    def _fitting_published(self) -> list[Wish]:
        """The published networks of the space that fit the budget."""
        return [
            Wish(choices, PUBLISHED + network.name)
            for network, choices in published_in(self._space)
            if network.parameters <= self._settings.budget
        ]

    def look_for_interrupted(self) -> None:
        """Have the candidates asked again whose drivers ended or died."""
        self._interrupted = deque(number for number, _ in self._ledger.interrupted(self._space))

    def aim_at(self, aims: tuple[int, ...]) -> None:
        """Have draws fitted to these budgets: where the old ones left nothing new, they may."""
        if aims != self.aims:
            self._in_vain = 0
        self.aims = aims

    @property
    def is_spent(self) -> bool:
        """Whether nothing new is to be found: all that was proposed and drawn lately was known."""
        return self._in_vain >= ASKS + DRAWS

    def propose(self, repeat: Callable[[int], Job | None] = lambda number: None) -> Proposal | Job | None:
        """The next candidate that fits; None if the study has as many as it may have, or if nothing new is found.

        A network that is known is no candidate again, whoever asked it. `repeat` is told the number that it has, under
        the study's lock, and may give a job that trains it once more; else another is asked.
        """
        while not (self._full and self._is_full()):
            own = None if self._interrupted or self._published or self.is_spent else self._own_wish()
            with self._ledger.store.exclusively(self._ledger.name):
                if self._is_full():
                    return None
                wish = own or self._shared_wish()
                found = None if wish is None else self._take_up(wish, repeat)
            if own is not None:
                self._in_vain = self._in_vain + 1 if found is None else 0
            if found is not None or (wish is None and self.is_spent):
                return found
        return None

    def _own_wish(self) -> Wish:
        """A random draw or the sampler's proposal, made to fit the budget and as full as it says itself.

        What is over the study's budget is told PRUNED all the same, so that the sampler learns where that is. What only
        exceeds the aim is not: for a larger one it would have been right. Of what is within it the sampler is told only
        what is trained.
        """
        aim, budget = self._next_aim(), self._settings.budget
        self._started = self._started or self._ledger.within_budget() >= STARTUP
        asked, origin = (
            (self._ledger.sample(self._sampler, self._space, aim if aim < budget else None), SAMPLED)
            if self._started and self._in_vain < ASKS
            else (self._random(), RANDOM)
        )
        count = parameters(self._space, asked)
        settled = settle(self._space, asked, aim)
        if count <= aim:
            return Wish(settled, origin)
        return Wish(settled, PROJECTED, rejected=(asked, origin) if count > budget else None)

    def _random(self) -> dict[str, Value]:
        """A draw; the first ones are to be full: the best are nearly always, and the sampler soon has some of them."""
        choices = self._space.random(self._rng)
        return choices if self._started else choices | {FILL: FULL}

    def _next_aim(self) -> int:
        self._draws += 1
        return self.aims[self._draws % len(self.aims)]

    def _shared_wish(self) -> Wish | None:
        """What any driver may ask, and only one shall: an interrupted candidate, then a published network.

        Those that are too large by now to be of use are left out.
        """
        while self._interrupted:
            number = self._interrupted.popleft()
            choices = dict(self._ledger.interrupted(self._space)).get(number)
            if choices is not None and self._is_of_use(choices):
                return Wish(choices, f"{AGAIN}{number}", number)
        asked = self._ledger.origins()
        while self._published:
            wish = self._published.popleft()
            if wish.origin not in asked and self._is_of_use(wish.choices):
                return wish
        return None

    def _is_of_use(self, choices: Choices) -> bool:
        return parameters(self._space, choices) <= max(self.aims)

    def _is_full(self) -> bool:
        self._full = self._ledger.taken() >= self._trials
        return self._full

    def _take_up(self, wish: Wish, repeat: Callable[[int], Job | None]) -> Proposal | Job | None:
        """What becomes of a wish; the study is locked.

        Where the network is known, a sampler that asked for more than the budget is told so all the same.
        """
        known = self._ledger.known(self._space.architecture(wish.choices))
        if known is None:
            return self._begin(wish)
        if wish.rejected is not None and wish.rejected[1] == SAMPLED:
            self._ledger.reject(self._space, wish.rejected[0], self._settings.budget)
        return repeat(known)

    def _begin(self, wish: Wish) -> Proposal:
        number = self._ledger.begin(
            self._space,
            wish.choices,
            self._settings.budget,
            wish.origin,
            again=wish.again,
            rejected=wish.rejected,
        )
        architecture = self._space.architecture(wish.choices)
        return Proposal(number, write(architecture), architecture.totals.parameters)
