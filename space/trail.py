"""The winners of a study in their order, each smaller than the one before, and the budgets that they are won for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Win:
    """A candidate that was confirmed, and is smaller than all that were confirmed before it."""

    number: int
    parameters: int
    when: datetime
    """With a time zone."""


Trail = Sequence[Win]
"""All wins of a study, so that their parameters strictly decrease."""


def unmet(budgets: Sequence[int], trail: Trail) -> tuple[int, ...]:
    """The budgets that no winner fits yet."""
    return tuple(budget for budget in budgets if not trail or trail[-1].parameters > budget)


def is_shrunk(budgets: Sequence[int], trail: Trail) -> bool:
    """Whether the search went on below a winner that fits every budget."""
    return sum(win.parameters <= min(budgets) for win in trail) > 1


def winners(budgets: Sequence[int], trail: Trail) -> dict[int, int]:
    """Number of the winner by budget, without those that have none: the first that fits.

    Of the smallest budget it is the last: after the first that fits, winners are searched for that are smaller still.
    """
    found = {}
    for budget in budgets:
        fitting = [win.number for win in trail if win.parameters <= budget]
        if fitting:
            found[budget] = fitting[-1] if budget == min(budgets) else fitting[0]
    return found
