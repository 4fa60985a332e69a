"""What Optuna's tables hold of a trial besides its state, as rows, and how rows of all of them are written at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.dialects import sqlite

Rows = dict[Any, list[dict[str, Any]]]
"""By Optuna's model of the table that they belong to."""
_PLACES = {
    models.TrialParamModel: "param_name",
    models.TrialUserAttributeModel: "key",
    models.TrialSystemAttributeModel: "key",
    models.TrialIntermediateValueModel: "step",
    models.TrialValueModel: "objective",
}
"""The column that tells the rows of one trial apart, by table."""


def details(trials: Sequence[FrozenTrial]) -> Rows:
    """All that trials have."""
    found: Rows = {table: [] for table in _PLACES}
    for trial in trials:
        found[models.TrialParamModel] += _parameters(trial)
        found[models.TrialUserAttributeModel] += _attributes(trial._trial_id, trial.user_attrs)
        found[models.TrialSystemAttributeModel] += _attributes(trial._trial_id, trial.system_attrs)
        found[models.TrialIntermediateValueModel] += _results(trial._trial_id, trial.intermediate_values)
        if trial.value is not None:
            found[models.TrialValueModel].append(_value(trial._trial_id, trial.value))
    return found


def news(
    trial_id: int,
    attributes: Mapping[str, Any],
    results: Mapping[int, float],
    hidden: Mapping[str, Any],
    *,
    is_end: bool,
) -> Rows:
    """What a trial is to have besides what it has; at its end the last result is its value."""
    return {
        models.TrialUserAttributeModel: _attributes(trial_id, attributes),
        models.TrialSystemAttributeModel: _attributes(trial_id, hidden),
        models.TrialIntermediateValueModel: _results(trial_id, results),
        models.TrialValueModel: [_value(trial_id, results[max(results)])] if is_end and results else [],
    }


def write_rows(connection: Connection, rows: Rows) -> None:
    """Put rows into their tables, in the place of those that are there: on Postgres all by one message."""
    filled = _filled(rows)
    if connection.dialect.name == "postgresql":
        if filled:
            connection.execute(_on_postgres(tuple(filled)), _texts(filled))
        return
    for table, there in filled.items():
        connection.execute(_on_sqlite(table), there)


def write_news(connection: Connection, state: Mapping[str, Any], rows: Rows) -> bool:
    """On Postgres, by one message: give a running trial its state and put rows into their tables.

    `state` has what it is to be: the `trial`'s id, `now`, and `ended`, which is None for one that goes on. False, and
    nothing is written, if it is not running.
    """
    filled = _filled(rows)
    return bool(connection.execute(_if_running(tuple(filled)), {**state, **_texts(filled)}).scalar_one())


def _filled(rows: Rows) -> Rows:
    return {table: there for table, there in rows.items() if there}


def _texts(rows: Rows) -> dict[str, str]:
    """Rows as JSON, by the name of their table."""
    return {table.__tablename__: json.dumps(there) for table, there in rows.items()}


@cache
def _if_running(tables: tuple[Any, ...]) -> TextClause:
    """A statement that counts the trials whose state it has changed, and writes the rows if that is one."""
    change = (
        "UPDATE trials SET state = CAST(:now AS trialstate), datetime_complete = CAST(:ended AS timestamp)"
        " WHERE trial_id = :trial AND state = 'RUNNING' RETURNING trial_id"
    )
    parts = [_part(table, "EXISTS (SELECT FROM it)") for table in tables]
    return text(f"WITH {', '.join([f'it AS ({change})', *parts])} SELECT count(*) FROM it")


@cache
def _on_sqlite(table: Any) -> sqlite.Insert:
    """One that writes a row of a table."""
    places, statement = ["trial_id", _PLACES[table]], sqlite.insert(table.__table__)
    replaced = {name: statement.excluded[name] for name in _columns(table) if name not in places}
    return statement.on_conflict_do_update(index_elements=places, set_=replaced)


@cache
def _on_postgres(tables: tuple[Any, ...]) -> TextClause:
    """One that writes rows of several tables, given as JSON under their names."""
    parts = [_part(table) for table in tables]
    return text(f"WITH {', '.join(parts)} SELECT")


def _columns(table: Any) -> list[str]:
    """All but the number of the row, which the database gives."""
    return [column.name for column in table.__table__.columns if not column.primary_key]


def _part(table: Any, condition: str = "true") -> str:
    """That of one table, where the condition holds."""
    name, place, columns = table.__tablename__, _PLACES[table], _columns(table)
    every = ", ".join(columns)
    replaced = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in ("trial_id", place))
    return (
        f"{name}_ AS (INSERT INTO {name} ({every}) SELECT {every} FROM json_populate_recordset(NULL::{name}, :{name})"
        f" WHERE {condition} ON CONFLICT (trial_id, {place}) DO UPDATE SET {replaced})"
    )


def _parameters(trial: FrozenTrial) -> list[dict[str, Any]]:
    return [
        {
            "trial_id": trial._trial_id,
            "param_name": name,
            "param_value": distribution.to_internal_repr(trial.params[name]),
            "distribution_json": distribution_to_json(distribution),
        }
        for name, distribution in trial.distributions.items()
    ]


def _results(trial_id: int, results: Mapping[int, float]) -> list[dict[str, Any]]:
    kind = models.TrialIntermediateValueModel.TrialIntermediateValueType.FINITE.name
    return [
        {"trial_id": trial_id, "step": epochs, "intermediate_value": accuracy, "intermediate_value_type": kind}
        for epochs, accuracy in results.items()
    ]


def _value(trial_id: int, value: float) -> dict[str, Any]:
    kind = models.TrialValueModel.TrialValueType.FINITE.name
    return {"trial_id": trial_id, "objective": 0, "value": value, "value_type": kind}


def _attributes(trial_id: int, attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"trial_id": trial_id, "key": key, "value_json": json.dumps(value)} for key, value in attributes.items()]
