"""Proposes candidates within the budget: asks the sampler, counts, and tells what is over budget PRUNED at once."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from optuna.samplers import BaseSampler

from search.ledger import Ledger
from search.seeds import derive
from search.settings import StudySettings
from search.wish import SAMPLED, Wish
from space.filling import settle
from space.known_points import starts
from space.notation import write
from space.ranges import Value
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
        """The published networks of the space, as they fit the budget."""
        return [
            Wish(self._space, start.choices, PUBLISHED + start.name)
            for start in starts(self._space, self._settings.budgets)
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

    def propose(
        self, wanted: int = 1, repeat: Callable[[int], Job | None] = lambda number: None
    ) -> list[Proposal | Job]:
        """The next candidates that fit, as many as are wanted; fewer if the study has as many as it may have, or if
        nothing new is found.

        A network that is known is no candidate again, whoever asked it. `repeat` is told the number that it has, under
        the study's lock, and may give a job that trains it once more; else another is asked.
        """
        found: list[Proposal | Job] = []
        while len(found) < wanted and not (self._full and self._room() <= 0):
            own = self._own_wishes(wanted - len(found))
            with self._ledger.store.exclusively(self._ledger.name):
                room = self._room()
                if room <= 0:
                    break
                wishes = own[:room] or self._shared_wishes(min(wanted - len(found), room))
                taken = self._take_up(wishes, repeat)
            found += taken
            if own:
                self._in_vain = 0 if taken else self._in_vain + len(own)
            if not wishes and self.is_spent:
                break
        return found

    def _own_wishes(self, wanted: int) -> list[Wish]:
        """None while there are shared ones, or if nothing new is to be found."""
        if self._interrupted or self._published or self.is_spent:
            return []
        return [self._own_wish() for _ in range(wanted)]

    def _own_wish(self) -> Wish:
        """A random draw or the sampler's proposal, made to fit the budget and as full as it says itself.

        What is over the study's budget is told PRUNED all the same, so that the sampler learns where that is. What only
        exceeds the aim is not: for a larger one it would have been right. Of what is within it the sampler is told only
        what is trained.
        """
        aim, budget = self._next_aim(), self._settings.budget
        self._started = self._started or self._ledger.within_budget() >= STARTUP
        choices, origin = (
            (self._ledger.sample(self._sampler, self._space, aim if aim < budget else None), SAMPLED)
            if self._started and self._in_vain < ASKS
            else (self._random(), RANDOM)
        )
        asked = Wish(self._space, choices, origin)
        settled = settle(self._space, choices, aim)
        if asked.parameters <= aim:
            return Wish(self._space, settled, origin)
        return Wish(self._space, settled, PROJECTED, rejected=asked if asked.parameters > budget else None)

    def _random(self) -> dict[str, Value]:
        """A draw; the first ones are to be full: the best are nearly always, and the sampler soon has some of them."""
        choices = self._space.random(self._rng)
        return choices if self._started else choices | {FILL: FULL}

    def _next_aim(self) -> int:
        self._draws += 1
        return self.aims[self._draws % len(self.aims)]

    def _shared_wishes(self, wanted: int) -> list[Wish]:
        """What any driver may ask, and only one shall: interrupted candidates, then published networks.

        Those that are too large by now to be of use are left out.
        """
        left, asked = dict(self._ledger.interrupted(self._space)), self._ledger.origins()
        wishes: list[Wish] = []
        while (self._interrupted or self._published) and len(wishes) < wanted:
            if self._interrupted:
                number = self._interrupted.popleft()
                wish = Wish(self._space, left[number], f"{AGAIN}{number}", number) if number in left else None
            else:
                wish = self._published.popleft()
            if wish is not None and wish.origin not in asked and wish.parameters <= max(self.aims):
                wishes.append(wish)
        return wishes

    def _room(self) -> int:
        """How many more candidates the study may have."""
        room = self._trials - self._ledger.taken()
        self._full = room <= 0
        return room

    def _take_up(self, wishes: Sequence[Wish], repeat: Callable[[int], Job | None]) -> list[Proposal | Job]:
        """What becomes of wishes; the study is locked.

        Where the network is known, a sampler that asked for more than the budget is told so all the same.
        """
        new: dict[str, Wish] = {}
        jobs = []
        for wish in wishes:
            known = self._ledger.known(wish.identity)
            if known is None and wish.identity not in new:
                new[wish.identity] = wish
                continue
            if wish.rejected is not None and wish.rejected.origin == SAMPLED:
                self._ledger.reject(self._space, wish.rejected.choices, self._settings.budget)
            if known is not None and (job := repeat(known)) is not None:
                jobs.append(job)
        return [*jobs, *self._begin(list(new.values()))]

    def _begin(self, wishes: Sequence[Wish]) -> list[Proposal]:
        numbers = self._ledger.begin_all(wishes, self._settings.budget)
        return [
            Proposal(number, write(wish.architecture), wish.parameters)
            for number, wish in zip(numbers, wishes, strict=True)
        ]
