"""Whole trials read from Optuna's tables in one query a table, without its object mapper.

The mapper takes 1.5 ms a trial of 28 parameters: seconds for a study of thousands.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial
from sqlalchemy import ColumnElement, Connection, select

_FEW = 500
"""Trials that are asked for by name; of more, all of the study are read."""
Rows = dict[int, list[Any]]
"""Of one table by trial."""


def read_trials(connection: Connection, study_id: int, wanted: Collection[int]) -> list[FrozenTrial]:
    """The trials with these ids, which are of one study, as Optuna's storage reads them.

    Their states are read first: what another driver ends in the meantime is told as running, with all that it had
    then, and never as ended without its value.
    """
    table = models.TrialModel.__table__
    ids = table.c.trial_id
    chosen = ids.in_(wanted) if len(wanted) <= _FEW else table.c.study_id == study_id
    trials = connection.execute(select(table).where(chosen).order_by(ids)).all()
    params = _rows(connection, models.TrialParamModel, chosen, "param_id")
    users = _rows(connection, models.TrialUserAttributeModel, chosen)
    systems = _rows(connection, models.TrialSystemAttributeModel, chosen)
    steps = _rows(connection, models.TrialIntermediateValueModel, chosen, "step")
    values = _rows(connection, models.TrialValueModel, chosen, "objective")
    return [
        _trial(row, *(rows[row.trial_id] for rows in (params, users, systems, steps, values)))
        for row in trials
        if row.trial_id in wanted
    ]


def _rows(connection: Connection, model: Any, chosen: ColumnElement[bool], order: str | None = None) -> Rows:
    table, trials = model.__table__, models.TrialModel.__table__
    query = select(table).join(trials, trials.c.trial_id == table.c.trial_id).where(chosen)
    found: Rows = defaultdict(list)
    for row in connection.execute(query if order is None else query.order_by(table.c[order])):
        found[row.trial_id].append(row)
    return found


def _trial(
    row: Any,
    params: Sequence[Any],
    users: Sequence[Any],
    systems: Sequence[Any],
    steps: Sequence[Any],
    values: Sequence[Any],
) -> FrozenTrial:
    ranges = {one.param_name: _distribution(one.distribution_json) for one in params}
    value, step = models.TrialValueModel, models.TrialIntermediateValueModel
    return FrozenTrial(
        number=row.number,
        state=row.state,
        value=None,
        values=[value.stored_repr_to_value(one.value, one.value_type) for one in values] or None,
        datetime_start=_local(row.datetime_start),
        datetime_complete=_local(row.datetime_complete),
        params={one.param_name: ranges[one.param_name].to_external_repr(one.param_value) for one in params},
        distributions=ranges,
        user_attrs={one.key: json.loads(one.value_json) for one in users},
        system_attrs={one.key: json.loads(one.value_json) for one in systems},
        intermediate_values={
            one.step: step.stored_repr_to_intermediate_value(one.intermediate_value, one.intermediate_value_type)
            for one in steps
        },
        trial_id=row.trial_id,
    )


@lru_cache(maxsize=1024)
def _distribution(text: str) -> BaseDistribution:
    """Shared by all trials that have it: nobody changes one."""
    return json_to_distribution(text)


def _local(moment: datetime | None) -> datetime | None:
    """A time in UTC, as it is stored, as Optuna gives it: local, and silent about it."""
    return None if moment is None else moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
