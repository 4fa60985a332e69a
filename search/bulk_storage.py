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
from sqlalchemy import Connection, Select, func, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from search.trial_details import details, news, write_rows
from search.trial_rows import read_trials


class BulkStorage(RDBStorage):
    """Inserts all parameters and attributes of a new trial at once, and reads them once while it is running.

    Optuna inserts them one by one, with a query before each: 65 ms for 28 parameters on a Postgres beside us.
    """

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self._reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        """What reads needs no transaction, which on Postgres would be two more messages each time."""
        self._running: dict[int, FrozenTrial] = {}
        self._closed: dict[int, FrozenTrial] = {}
        """By id, those that were closed here and not read yet: they need no reading."""

    def create(self, study_id: int, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """Make new trials that are like `trials`, with their ids and numbers, in one transaction."""
        made = [copy(trial) for trial in trials]
        study = models.StudyModel
        try:
            with self.engine.begin() as connection:
                connection.execute(select(study.study_id).where(study.study_id == study_id).with_for_update())
                for trial in made:
                    trial._trial_id, trial.number = _insert(connection, study_id, trial)
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
        try:
            with self.engine.begin() as connection:
                _close(connection, trial_id, state)
                write_rows(connection, news(trial_id, attributes, results, hidden, is_end=state.is_finished()))
        except SQLAlchemyError as error:
            raise StorageInternalError(str(error)) from error
        known = self._running.get(trial_id)
        if known is not None:
            self._keep(_recorded(known, attributes, hidden, results, state))

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
            with self._reader.connect() as connection:
                return read_trials(connection, study_id, wanted)
        except SQLAlchemyError as error:
            raise StorageInternalError(str(error)) from error

    def _news(self, study_id: int, included: set[int], after: int) -> dict[int, tuple[TrialState, dict[int, float]]]:
        """By id the state and the results by rung of the trials after one, and of those `included`."""
        table, results = models.TrialModel, models.TrialIntermediateValueModel
        wanted = or_(table.trial_id > after, table.trial_id.in_(included))
        query = (
            select(table.trial_id, table.state, results.step, results.intermediate_value)
            .join(results, results.trial_id == table.trial_id, isouter=True)
            .where(table.study_id == study_id, wanted)
        )
        found: dict[int, tuple[TrialState, dict[int, float]]] = {}
        for key, state, step, value in self._rows(query):
            of_trial = found.setdefault(key, (state, {}))[1]
            if step is not None:
                of_trial[step] = value
        return found

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """As Optuna's, which asks twice and builds an object for each."""
        table = models.StudyUserAttributeModel
        rows = self._rows(select(table.key, table.value_json).where(table.study_id == study_id))
        return {row.key: json.loads(row.value_json) for row in rows}

    def _rows(self, query: Select[Any]) -> Sequence[Any]:
        try:
            with self._reader.connect() as connection:
                return connection.execute(query).all()
        except SQLAlchemyError as error:
            raise StorageInternalError(str(error)) from error


def _insert(connection: Connection, study_id: int, trial: FrozenTrial) -> tuple[int, int]:
    """Id and number of a new trial with the state and the times of `trial`; the study is locked against others."""
    table = models.TrialModel.__table__
    before = select(func.count()).where(table.c.study_id == study_id).scalar_subquery()
    row = connection.execute(
        insert(table)
        .values(
            number=before,
            study_id=study_id,
            state=trial.state,
            datetime_start=_in_utc(trial.datetime_start),
            datetime_complete=_in_utc(trial.datetime_complete),
        )
        .returning(table.c.trial_id, table.c.number)
    ).one()
    return row.trial_id, row.number


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


def _close(connection: Connection, trial_id: int, state: TrialState) -> None:
    """Give a running trial its state; UpdateFinishedTrialError if it is not running."""
    table = models.TrialModel.__table__
    ended = {"datetime_complete": _in_utc(datetime.now())} if state.is_finished() else {}
    running = (table.c.trial_id == trial_id) & (table.c.state == TrialState.RUNNING)
    if connection.execute(update(table).where(running).values(state=state, **ended)).rowcount != 1:
        raise UpdateFinishedTrialError(f"trial with id {trial_id} is closed")
