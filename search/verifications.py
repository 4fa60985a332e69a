"""The record of verifications: trainings on all training images, their weights, and what each came to on the test set.

They have a table of their own beside Optuna's, because weights are too large for a study's attributes, which every
driver reads again and again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from search.storage import Store
from search.tables import VERIFICATIONS as ROWS
from space.candidate import Verification
from space.confusion import Confusion, accuracy


class Verifications:
    """Those of one study. Any number of processes may read and write at once."""

    def __init__(self, store: Store, study: str) -> None:
        self._store = store
        self._study = study

    def add(self, number: int, place: int, *, seed: int, epochs: int, seconds: float, weights: bytes) -> None:
        """A training that has ended, its network not tested yet; the first of two that are the same stays."""
        row = {"study": self._study, "candidate": number, "place": place, "seed": seed, "epochs": epochs}

        def write(connection: Connection) -> None:
            connection.execute(insert(ROWS).values(**row, seconds=seconds, weights=weights))

        try:
            self._store.write(write)
        except IntegrityError:  # another process, or this one before the answer was lost
            return

    def trained(self, number: int, epochs: int) -> set[int]:
        """Places of a candidate's trainings of that length that have ended, tested or not."""
        query = select(ROWS.c.place).where(self._all(number, epochs))
        return {row.place for row in self._store.read(query)}

    def packed(self, number: int, epochs: int, place: int) -> bytes | None:
        """The weights of one, as workers.weights packs them; None if there is no such training."""
        query = select(ROWS.c.weights).where(self._one(number, epochs, place))
        rows = self._store.read(query)
        return bytes(rows[0].weights) if rows else None

    def record_test(self, number: int, epochs: int, place: int, confusion: Confusion) -> None:
        """What the test set was taken for."""
        text = json.dumps(confusion)

        def write(connection: Connection) -> None:
            connection.execute(update(ROWS).where(self._one(number, epochs, place)).values(confusion=text))

        self._store.write(write)

    def tested(self) -> dict[int, tuple[Verification, ...]]:
        """All that were tested, by candidate, short trainings first, and in the order of their places."""
        columns = [column for column in ROWS.c if column.name != "weights"]
        query = select(*columns).where(ROWS.c.study == self._study, ROWS.c.confusion.is_not(None))
        found: dict[int, tuple[Verification, ...]] = {}
        for row in self._store.read(query.order_by(ROWS.c.candidate, ROWS.c.epochs, ROWS.c.place)):
            confusion = tuple(tuple(counts) for counts in json.loads(row.confusion))
            found[row.candidate] = (
                *found.get(row.candidate, ()),
                Verification(
                    place=row.place,
                    seed=row.seed,
                    accuracy=accuracy(confusion),
                    confusion=confusion,
                    epochs=row.epochs,
                    seconds=row.seconds,
                ),
            )
        return found

    def _all(self, number: int, epochs: int) -> ColumnElement[bool]:
        return and_(ROWS.c.study == self._study, ROWS.c.candidate == number, ROWS.c.epochs == epochs)

    def _one(self, number: int, epochs: int, place: int) -> ColumnElement[bool]:
        return and_(self._all(number, epochs), ROWS.c.place == place)


def by_length(runs: Sequence[Verification]) -> tuple[tuple[Verification, ...], tuple[Verification, ...]]:
    """The longest, and the shorter ones."""
    most = max(run.epochs for run in runs)
    return tuple(run for run in runs if run.epochs == most), tuple(run for run in runs if run.epochs < most)
