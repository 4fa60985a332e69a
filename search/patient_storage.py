"""Optuna's storage for a driver: waits out outages, and makes a whole candidate in a few statements."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage, get_storage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import insert
from sqlalchemy.orm import Session

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


for _name in BaseStorage.__abstractmethods__ - PatientStorage.__dict__.keys():
    setattr(PatientStorage, _name, _patiently(_name))
PatientStorage.__abstractmethods__ = frozenset()


class BulkStorage(RDBStorage):
    """Inserts all parameters and attributes of a new trial at once.

    Optuna does so one by one, with a query before each: 65 ms for 28 parameters on a Postgres beside us, this 9 ms.
    """

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self.numbers: dict[int, int] = {}
        """Number by id of the trials that were made here and not asked for yet."""

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
        self.numbers[trial.trial_id] = trial.number
        return trial


def _attributes(trial_id: int, attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"trial_id": trial_id, "key": key, "value_json": json.dumps(value)} for key, value in attributes.items()]
