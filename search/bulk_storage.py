"""Optuna's storage with whole trials made, ended and read in a few statements."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection, Executable, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from search.trial_details import Rows, details, news, write_news, write_rows
from search.trial_rows import read_trials

# Statements are made once: SQLAlchemy takes as long to put one together as the database to carry it out.
_STUDY, _TRIAL, _RESULT = models.StudyModel, models.TrialModel, models.TrialIntermediateValueModel
_LOCK = select(_STUDY.study_id).where(_STUDY.study_id == bindparam("of")).with_for_update()
_NEW = (
    insert(_TRIAL)
    .values(
        number=select(func.count()).where(_TRIAL.study_id == bindparam("of")).scalar_subquery() + bindparam("place"),
        study_id=bindparam("of"),
        state=bindparam("now"),
        datetime_start=bindparam("begun"),
        datetime_complete=bindparam("ended"),
    )
    .returning(_TRIAL.trial_id, _TRIAL.number)
)
_STILL_RUNNING = (_TRIAL.trial_id == bindparam("trial")) & (_TRIAL.state == TrialState.RUNNING)
_STATE = update(_TRIAL).where(_STILL_RUNNING).values(state=bindparam("now"), datetime_complete=bindparam("ended"))
_NEWS = (
    select(_TRIAL.trial_id, _TRIAL.state, _RESULT.step, _RESULT.intermediate_value)
    .join(_RESULT, _RESULT.trial_id == _TRIAL.trial_id, isouter=True)
    .where(
        _TRIAL.study_id == bindparam("of"),
        or_(_TRIAL.trial_id > bindparam("after"), _TRIAL.trial_id.in_(bindparam("included", expanding=True))),
    )
)
_ATTRIBUTES = select(models.StudyUserAttributeModel.key, models.StudyUserAttributeModel.value_json).where(
    models.StudyUserAttributeModel.study_id == bindparam("of")
)


class BulkStorage(RDBStorage):
    """Inserts all parameters and attributes of a new trial at once, and reads them once while it is running.

    Optuna inserts them one by one, with a query before each: 65 ms for 28 parameters on a Postgres beside us.
    """

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self._single = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        """For what is one statement: a transaction around it would on Postgres be two more messages."""
        self._running: dict[int, FrozenTrial] = {}
        self._closed: dict[int, FrozenTrial] = {}
        """By id, those that were closed here and not read yet: they need no reading."""

    def create(self, study_id: int, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """Make new trials that are like `trials`, with their ids and numbers, in one transaction."""
        if not trials:
            return []
        made = [copy(trial) for trial in trials]
        try:
            with self.engine.begin() as connection:
                connection.execute(_LOCK, {"of": study_id})
                _insert(connection, study_id, made)
                write_rows(connection, details(made))
        except SQLAlchemyError as error:
            raise StorageInternalError(str(error)) from error
        for trial in made:
            self._keep(trial)
        return made

    def _keep(self, trial: FrozenTrial) -> None:
        if trial.state == TrialState.RUNNING:
            self._running[trial._trial_id] = trial
        else:
            self._running.pop(trial._trial_id, None)
            self._closed[trial._trial_id] = trial

    def latest(self, trial_id: int) -> FrozenTrial | None:
        """A trial as it was last written here; None if it was read again since, or never written here."""
        return self._closed.get(trial_id) or self._running.get(trial_id)

    def record(
        self,
        trial_id: int,
        attributes: Mapping[str, Any],
        results: Mapping[int, float],
        state: TrialState = TrialState.RUNNING,
        *,
        hidden: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Attributes and results (by rung) of a running trial, and its end unless that is RUNNING: one transaction.

        `hidden` are system attributes. The value of a trial that ends is the last of these results.
        UpdateFinishedTrialError if it is closed already.
        """
        ended = _in_utc(datetime.now()) if state.is_finished() else None
        told = {"trial": trial_id, "now": state.name, "ended": ended}
        rows = news(trial_id, attributes, results, hidden, is_end=state.is_finished())
        try:
            if not self._write(told, rows):
                raise UpdateFinishedTrialError(f"trial with id {trial_id} is closed")
        except SQLAlchemyError as error:
            raise StorageInternalError(str(error)) from error
        known = self._running.get(trial_id)
        if known is not None:
            self._keep(_recorded(known, attributes, hidden, results, state))

    def _write(self, told: dict[str, Any], rows: Rows) -> bool:
        """A running trial's state and the rows that come with it, all or nothing; False if it is not running."""
        if self.engine.dialect.name == "postgresql":
            with self._single.connect() as connection:
                return write_news(connection, told, rows)
        with self.engine.begin() as connection:
            is_running = connection.execute(_STATE, told).rowcount == 1
            if is_running:
                write_rows(connection, rows)
            return is_running

    def _get_trials(
        self, study_id: int, states: Any, included_trial_ids: set[int], trial_id_greater_than: int
    ) -> list[FrozenTrial]:
        """As Optuna's, but what was closed here is known, and of a trial that is known to be running only its state and
        its results are read again: its other attributes are those it had at first. Optuna reads all parameters of all
        running trials each time, which is what limits a driver of many workers."""
        now = self._news(study_id, included_trial_ids, trial_id_greater_than)
        running = self._running.copy()  # another thread may close some of them meanwhile
        found = []
        for key, (state, results) in now.items():
            if state == TrialState.RUNNING and key in running:
                found.append(_with_results(running[key], results))
            elif state.is_finished() and key in self._closed:
                found.append(self._closed.pop(key))
        unknown = now.keys() - {trial._trial_id for trial in found}
        for trial in self._read(study_id, unknown):
            self._running.pop(trial._trial_id, None)
            if trial.state == TrialState.RUNNING:
                self._running[trial._trial_id] = trial
            found.append(trial)
        return sorted(
            (trial for trial in found if states is None or trial.state in states), key=lambda trial: trial._trial_id
        )

    def _read(self, study_id: int, wanted: Collection[int]) -> list[FrozenTrial]:
        if not wanted:
            return []
        try:
            with self._single.connect() as connection:
                return read_trials(connection, study_id, wanted)
        except SQLAlchemyError as error:
            raise StorageInternalError(str(error)) from error

    def _news(self, study_id: int, included: set[int], after: int) -> dict[int, tuple[TrialState, dict[int, float]]]:
        """By id the state and the results by rung of the trials after one, and of those `included`."""
        found: dict[int, tuple[TrialState, dict[int, float]]] = {}
        for key, state, step, value in self._rows(_NEWS, of=study_id, after=after, included=list(included)):
            of_trial = found.setdefault(key, (state, {}))[1]
            if step is not None:
                of_trial[step] = value
        return found

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """As Optuna's, which asks twice and builds an object for each."""
        return {row.key: json.loads(row.value_json) for row in self._rows(_ATTRIBUTES, of=study_id)}

    def _rows(self, query: Executable, **values: Any) -> Sequence[Any]:
        try:
            with self._single.connect() as connection:
                return connection.execute(query, values).all()
        except SQLAlchemyError as error:
            raise StorageInternalError(str(error)) from error


def _insert(connection: Connection, study_id: int, trials: Sequence[FrozenTrial]) -> None:
    """Make rows for new trials, which get their ids and numbers; the study is locked against others."""
    rows = [
        {
            "of": study_id,
            "place": place,
            "now": trial.state,
            "begun": _in_utc(trial.datetime_start),
            "ended": _in_utc(trial.datetime_complete),
        }
        for place, trial in enumerate(trials)
    ]
    made = sorted(connection.execute(_NEW, rows).all(), key=lambda row: row.number)
    for trial, row in zip(trials, made, strict=True):
        trial._trial_id, trial.number = row.trial_id, row.number


def _in_utc(moment: datetime | None) -> datetime | None:
    """A local time as Optuna stores it."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def _with_results(trial: FrozenTrial, results: dict[int, float]) -> FrozenTrial:
    if trial.intermediate_values != results:
        trial = copy(trial)
        trial.intermediate_values = results
    return trial


def _recorded(
    trial: FrozenTrial,
    attributes: Mapping[str, Any],
    hidden: Mapping[str, Any],
    results: Mapping[int, float],
    state: TrialState,
) -> FrozenTrial:
    """The trial after `BulkStorage.record`."""
    trial = copy(trial)
    trial.user_attrs = {**trial.user_attrs, **attributes}
    trial.system_attrs = {**trial.system_attrs, **hidden}
    trial.intermediate_values = {**trial.intermediate_values, **results}
    trial.state = state
    if state.is_finished():
        trial.datetime_complete = datetime.now()
    if state.is_finished() and results:
        trial.value = results[max(results)]
    return trial
