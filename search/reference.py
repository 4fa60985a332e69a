"""How a user names a study, or a candidate in one."""

from __future__ import annotations

from typing import NamedTuple

from search.errors import NotFoundError
from search.ledger import Ledger
from search.storage import Store
from space.candidate import Candidate
from space.trail import winners


class Reference(NamedTuple):
    """What `STUDY` or `STUDY/NUMBER` names."""

    study: str
    number: int | None
    """Of the candidate; None where the study alone is named."""


def parse(place: str) -> Reference:
    """Digits after the last slash are a candidate's number; all else is the study's name, which may hold slashes."""
    study, slash, number = place.rpartition("/")
    if slash and study and number.isascii() and number.isdecimal():
        return Reference(study, int(number))
    return Reference(place, None)


def confirmed(store: Store, place: str) -> tuple[Ledger, Candidate]:
    """The candidate that `STUDY/NUMBER` names, or the smallest winner of `STUDY`, and the study that it is in.

    NotFoundError where there is no such study or candidate, and for a study without a winner.
    """
    ledger, found = all_confirmed(store, place)
    return ledger, found[0]


def all_confirmed(store: Store, place: str) -> tuple[Ledger, list[Candidate]]:
    """As `confirmed`, with the winners of all budgets of `STUDY`, each once and the smallest first."""
    study, number = parse(place)
    ledger = Ledger.open(store, study)
    if number is not None:
        return ledger, [ledger.candidate(number)]
    numbers = dict.fromkeys(winners(ledger.settings["budgets"], ledger.trail).values())
    if not numbers:
        raise NotFoundError(f"study {study} has no confirmed winner yet; name a candidate, as in {study}/7")
    return ledger, [ledger.candidate(number) for number in numbers]
