"""Optuna's storage for a driver: every call waits out an outage of the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage, get_storage
from optuna.trial import FrozenTrial, TrialState

from search.bulk_storage import BulkStorage
from search.patience import Patience

UNSTORED = -1
"""Number and id of a trial that is not in the database: the one a sampler is shown before the candidate is made."""


class PatientStorage(BaseStorage):
    """Everything that `RDBStorage` does, through Optuna's own cache, each call tried again while the database is away.

    Every call is one transaction. One that was carried out although its answer was lost is carried out again, so calls
    must bear that: attributes and values are overwritten by the same, a state is compared, and a trial made twice is
    one RUNNING trial too many, which its driver finds and tells FAIL.
    """

    def __init__(self, rows: BulkStorage, patience: Patience) -> None:
        self._rows = rows
        self._inner = get_storage(rows)
        self._patience = patience

    def create(self, study_id: int, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """As `BulkStorage.create`."""
        return self._patience.run(lambda: self._rows.create(study_id, trials))

    def record(
        self,
        trial_id: int,
        attributes: Mapping[str, Any],
        results: Mapping[int, float],
        state: TrialState = TrialState.RUNNING,
        *,
        hidden: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """As `BulkStorage.record`."""
        attempts = 0

        def attempt() -> None:
            nonlocal attempts
            attempts += 1
            try:
                self._rows.record(trial_id, attributes, results, state, hidden=hidden)
            except UpdateFinishedTrialError:
                if attempts == 1 or self._inner.get_trial(trial_id).state != state:
                    raise

        self._patience.run(attempt)

    def latest(self, trial_id: int) -> FrozenTrial | None:
        """As `BulkStorage.latest`."""
        return self._rows.latest(trial_id)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        if trial_id != UNSTORED:  # TPE notes what it is about to propose on the trial it is shown
            self._patience.run(partial(self._inner.set_trial_system_attr, trial_id, key, value))


def _patiently(name: str) -> Callable[..., Any]:
    def method(self: PatientStorage, *arguments: Any, **named: Any) -> Any:
        return self._patience.run(lambda: getattr(self._inner, name)(*arguments, **named))

    method.__name__ = name
    return method


for _name, _method in vars(BaseStorage).items():  # also those that are not abstract: Optuna's cache has better ones
    if callable(_method) and not _name.startswith("_") and _name not in vars(PatientStorage):
        setattr(PatientStorage, _name, _patiently(_name))
PatientStorage.__abstractmethods__ = frozenset()
