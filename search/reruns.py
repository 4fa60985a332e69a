"""Further trainings of candidates that are trained already: confirmations and other seeds, and who takes which on.

A study attribute each, named by what it is, the candidate's number and its place among its like: Optuna's finished
trials cannot be written to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from search.storage import Store
from search.study_attributes import StudyAttributes
from space.candidate import Candidate, Confirmation, Run

_CONFIRMATION = "confirmation"
_REPEAT = "repeat"
_CLAIM = "claim"


class Reruns:
    """Those of one study. Any number of processes may read and write at once."""

    def __init__(self, store: Store, study: str, attributes: StudyAttributes) -> None:
        self._store = store
        self._study = study
        self._attributes = attributes

    def confirmations(self, number: int) -> dict[int, Confirmation]:
        """The confirmations of a candidate by their place."""
        found = _places(self._attributes.all(), _CONFIRMATION).get(number, {})
        return {place: Confirmation(**value) for place, value in found.items()}

    def record_confirmation(self, number: int, place: int, confirmation: Confirmation) -> None:
        """Write down what came of one; `place` is 0, 1, ..."""
        self._attributes.write(f"{_CONFIRMATION}:{number}:{place}", asdict(confirmation))

    def record_repeat(self, number: int, place: int, run: Run) -> None:
        """Write down what came of another seed; `place` is 1, 2, ..."""
        self._attributes.write(f"{_REPEAT}:{number}:{place}", asdict(run))

    def claim_confirmation(self, number: int, place: int, driver: int, living: Collection[int]) -> bool:
        """Take on a confirmation, unless it is there or another driver among the `living` has taken it on."""
        with self._store.exclusively(self._study):
            return self._claim(f"{_CONFIRMATION}:{number}:{place}", f"{_CLAIM}:{number}:{place}", driver, living)

    def claim_repeat(self, number: int, place: int, driver: int, living: Collection[int]) -> bool:
        """Take on a repeat likewise; the caller holds the study's lock."""
        return self._claim(f"{_REPEAT}:{number}:{place}", f"{_CLAIM}:{_REPEAT}:{number}:{place}", driver, living)

    def _claim(self, wanted: str, claim: str, driver: int, living: Collection[int]) -> bool:
        attributes = self._attributes.all()
        holder = attributes.get(claim)
        if wanted in attributes or (holder != driver and holder in living):
            return False
        self._attributes.write(claim, driver)
        return True


def with_reruns(candidates: Sequence[Candidate], attributes: Mapping[str, Any]) -> list[Candidate]:
    """All candidates of a study, by number, with what its attributes hold of their confirmations and repeats."""
    found = list(candidates)
    for number, places in _places(attributes, _CONFIRMATION).items():
        confirmations = tuple(Confirmation(**places[place]) for place in sorted(places))
        found[number] = replace(found[number], confirmations=confirmations)
    for number, places in _places(attributes, _REPEAT).items():
        found[number] = replace(found[number], repeats=tuple(Run(**places[place]) for place in sorted(places)))
    return found


def _places(attributes: Mapping[str, Any], wanted: str) -> dict[int, dict[int, dict[str, Any]]]:
    """What a study's attributes of one kind hold, by the number of the candidate and by place."""
    found: dict[int, dict[int, dict[str, Any]]] = {}
    for key, value in attributes.items():
        kind, *places = key.split(":")
        if kind == wanted:
            number, place = map(int, places)
            found.setdefault(number, {})[place] = value
    return found
