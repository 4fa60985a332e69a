"""Optuna's storage for a driver: waits out outages, and makes a whole candidate in a few statements."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage, get_storage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import Select, insert, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from search.patience import Patience

UNSTORED = -1
"""Number and id of a trial that is not in the database: the one a sampler is shown before the candidate is made."""

_LARGEST_ID = 2**31 - 1


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

    def create(self, study_id: int, trial: FrozenTrial) -> tuple[int, int]:
        """Id and number of a new trial that is like `trial`."""
        trial_id = self.create_new_trial(study_id, trial)
        return trial_id, self._rows.numbers.pop(trial_id)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        attempts = 0

        def attempt() -> bool:
            nonlocal attempts
            attempts += 1
            try:
                return self._inner.set_trial_state_values(trial_id, state, values)
            except UpdateFinishedTrialError:
                if attempts > 1 and self._inner.get_trial(trial_id).state == state:
                    return True
                raise

        return self._patience.run(attempt)

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


class BulkStorage(RDBStorage):
    """Inserts all parameters and attributes of a new trial at once, and reads them once while it is running.

    Optuna inserts them one by one, with a query before each: 65 ms for 28 parameters on a Postgres beside us.
    """

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self.numbers: dict[int, int] = {}
        """Number by id of the trials that were made here and not asked for yet."""
        self._running: dict[int, FrozenTrial] = {}

    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> FrozenTrial:
        made = super()._create_new_trial(study_id, template_trial)
        self.numbers[made._trial_id] = made.number
        if template_trial is not None and made.state == TrialState.RUNNING:
            self._running[made._trial_id] = made
        return made

    def _get_trials(
        self, study_id: int, states: Any, included_trial_ids: set[int], trial_id_greater_than: int
    ) -> list[FrozenTrial]:
        """As Optuna's, but of a trial that is known to be running only what may have changed is read again: its state
        and its results. Optuna reads all parameters of all running trials each time, which is what limits a driver of
        many workers. Other attributes of a running trial are those it had at first."""
        now = self._states(study_id, included_trial_ids, trial_id_greater_than)
        same = {key for key, state in now.items() if state == TrialState.RUNNING and key in self._running}
        results = self._results(same)
        found = [_with_results(self._running[key], results.get(key, {})) for key in same]
        if same and same == now.keys():
            return sorted(found, key=lambda trial: trial._trial_id)
        for trial in super()._get_trials(study_id, states, now.keys() - same, _LARGEST_ID):
            if trial.state == TrialState.RUNNING:
                self._running[trial._trial_id] = trial
            else:
                self._running.pop(trial._trial_id, None)
            found.append(trial)
        return sorted(found, key=lambda trial: trial._trial_id)

    def _states(self, study_id: int, included: set[int], after: int) -> dict[int, TrialState]:
        """State by id of the trials after one, and of those `included`."""
        table = models.TrialModel
        wanted = or_(table.trial_id > after, table.trial_id.in_(included))
        query = select(table.trial_id, table.state).where(table.study_id == study_id, wanted)
        return {row.trial_id: row.state for row in self._rows(query)}

    def _results(self, trials: set[int]) -> dict[int, dict[int, float]]:
        """Results by rung of each of these trials."""
        table = models.TrialIntermediateValueModel
        query = select(table.trial_id, table.step, table.intermediate_value).where(table.trial_id.in_(trials))
        found: dict[int, dict[int, float]] = {}
        for row in self._rows(query) if trials else ():
            found.setdefault(row.trial_id, {})[row.step] = row.intermediate_value
        return found

    def _rows(self, query: Select[Any]) -> Sequence[Any]:
        try:
            with self.engine.connect() as connection:
                return connection.execute(query).all()
        except SQLAlchemyError as error:
            raise StorageInternalError(str(error)) from error

    def _get_prepared_new_trial(self, study_id: int, template_trial: FrozenTrial | None, session: Session) -> Any:
        if template_trial is None:
            return super()._get_prepared_new_trial(study_id, None, session)
        bare = create_trial(state=template_trial.state, values=template_trial.values)
        trial: Any = super()._get_prepared_new_trial(study_id, bare, session)
        parameters = [
            {
                "trial_id": trial.trial_id,
                "param_name": name,
                "param_value": distribution.to_internal_repr(template_trial.params[name]),
                "distribution_json": distribution_to_json(distribution),
            }
            for name, distribution in template_trial.distributions.items()
        ]
        tables: tuple[tuple[Any, list[dict[str, Any]]], ...] = (
            (models.TrialParamModel, parameters),
            (models.TrialUserAttributeModel, _attributes(trial.trial_id, template_trial.user_attrs)),
            (models.TrialSystemAttributeModel, _attributes(trial.trial_id, template_trial.system_attrs)),
        )
        for table, rows in tables:
            if rows:
                session.execute(insert(table), rows)
        return trial


def _with_results(trial: FrozenTrial, results: dict[int, float]) -> FrozenTrial:
    if trial.intermediate_values != results:
        trial = copy(trial)
        trial.intermediate_values = results
    return trial


def _attributes(trial_id: int, attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"trial_id": trial_id, "key": key, "value_json": json.dumps(value)} for key, value in attributes.items()]
