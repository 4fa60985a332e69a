"""Reads studies for the dashboard's pages: for any number of readers at once, and at most once a second for all."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Generic, TypeVar

from optuna.artifacts import get_all_artifact_meta

from dashboards.pareto.points import Study
from dashboards.report.numbers import Report
from dashboards.site.board import AwayError, Kept, MissingError, Standing
from search import drivers, reporting, storage
from search.errors import NotFoundError, StorageError
from search.ledger import Ledger, own_names
from search.pictured import pictured
from search.storage import Store

PERIOD = 1.0
"""Seconds that what was read counts as new."""
_SHARE = 0.05
"""Of one core that the importance of choices, and a report's numbers, may take, by study."""

T = TypeVar("T")


class _Shared(Generic[T]):
    """A value that is read anew once it is old; of several threads that want it, one reads it and the others wait."""

    def __init__(self, read: Callable[[T | None], T], share: float = 1.0) -> None:
        """`read` is given the value before; `share` of the time, at most, is spent on reading."""
        self._read = read
        self._share = share
        self._lock = Lock()
        self._value: T | None = None
        self._due = float("-inf")

    def get(self) -> T:
        with self._lock:
            begun = time.monotonic()
            if self._value is None or begun >= self._due:
                self._value = self._read(self._value)
                ended = time.monotonic()
                self._due = max(begun + PERIOD, ended + (ended - begun) * (1 / self._share - 1))
            return self._value


class _Watched:
    """One study, read by a ledger of its own: a ledger may serve one thread at a time."""

    def __init__(self, store: Store, name: str, next_version: Callable[[], str]) -> None:
        self._store = store
        self._name = name
        self._next_version = next_version
        self._ledger: Ledger | None = None
        self.standing = _Shared(self._read)
        self.importance = _Shared(lambda _: pictured(Ledger.open(store, name), importance=True).importance, _SHARE)
        self.report = _Shared(lambda _: reporting.report(Ledger.open(store, name)), _SHARE)

    def _read(self, before: Standing | None) -> Standing:
        try:
            identity = _identity(self._store, self._name)
        except NotFoundError:
            self._ledger = None  # a later study of this name may even have the same number
            raise
        if self._ledger is None or before is None or before.identity != identity:
            self._ledger = Ledger.open(self._store, self._name)
        now = Standing(
            study=pictured(self._ledger),
            identity=identity,
            drivers=tuple(map(str, drivers.living(self._store.engine, self._name))),
            version=before.version if before is not None else "",
        )
        return before if now == before else replace(now, version=self._next_version())


def _identity(store: Store, name: str) -> int:
    """Of the study that has this name now; NotFoundError."""
    try:
        return int(store.optuna.get_study_id_from_name(name))
    except KeyError:
        raise NotFoundError(f"no study is called {name}") from None


class Board:
    """As `dashboards.site.board.Board` says, from an open database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._watched: dict[str, _Watched] = {}
        self._names = _Shared(lambda _: own_names(store))
        begun, numbers = secrets.token_hex(4), itertools.count()
        self._next_version = lambda: f"{begun}-{next(numbers)}"

    def names(self) -> list[str]:
        with self._translated():
            return self._names.get()

    def standing(self, name: str) -> Standing:
        with self._translated():
            return self._watch(name).standing.get()

    def with_importance(self, name: str) -> Study:
        with self._translated():
            watched = self._watch(name)
            return replace(watched.standing.get().study, importance=watched.importance.get())

    def report(self, name: str) -> Report:
        with self._translated():
            return self._watch(name).report.get()

    def kept(self, name: str, number: int) -> list[Kept]:
        identity, rows = self.standing(name).identity, self._store.optuna
        with self._translated():
            trial = rows.get_trial(rows.get_trial_id_from_study_id_trial_number(identity, number))
            below = f"/artifacts/{identity}/{trial._trial_id}"
            return [
                Kept(filename=meta.filename, mimetype=meta.mimetype, address=f"{below}/{meta.artifact_id}")
                for meta in get_all_artifact_meta(trial, storage=rows)
            ]

    def _watch(self, name: str) -> _Watched:
        with self._lock:
            if name not in self._watched:
                _identity(self._store, name)  # so that names which do not exist are not kept
                self._watched[name] = _Watched(self._store, name, self._next_version)
            return self._watched[name]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Our errors as those of the pages."""
        try:
            with storage.translated(self._store.url):
                yield
        except NotFoundError as error:
            raise MissingError(str(error)) from error
        except StorageError as error:
            raise AwayError(str(error)) from error
