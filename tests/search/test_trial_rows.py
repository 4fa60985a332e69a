"""What is read in bulk against what Optuna's own storage reads."""

from __future__ import annotations

import random

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import event

from search import storage, trial_rows
from search.ledger import Ledger, RungResult
from search.settings import StudySettings
from search.trial_rows import read_trials


@pytest.fixture
def url(any_database: str, settings: StudySettings) -> str:
    """A study of ours with trials of all kinds, between two others."""
    store = storage.open_or_create(storage.parse(any_database))
    other = optuna.create_study(storage=store.optuna, study_name="other")
    other.add_trial(create_trial(value=1.0))
    ledger = Ledger.create(store, "study", settings)
    rng = random.Random(3)
    for place in range(6):
        number = ledger.begin(settings.space, settings.space.random(rng), settings.budget)
        if place % 3 == 0:
            ledger.tell_complete(number, RungResult(16, 0.9, 1.5, (0.5,)))
        elif place % 3 == 1:
            ledger.tell_pruned(number, RungResult(1, 0.4, 0.5), "not among the best")
    ledger.reject(settings.space, settings.space.random(rng), settings.budget)
    odd = optuna.load_study(storage=store.optuna, study_name="study")
    odd.add_trial(create_trial(value=float("inf"), intermediate_values={1: float("nan"), 4: float("-inf")}))
    odd.enqueue_trial({"depth1": 1})
    other.add_trial(create_trial(state=TrialState.FAIL))
    store.close()
    return any_database


def read_both(url: str) -> tuple[list[FrozenTrial], list[FrozenTrial]]:
    """All trials of the study, as Optuna reads them and as we do."""
    parsed = storage.parse(url)
    reference = RDBStorage(parsed.render_as_string(hide_password=False))
    study_id = reference.get_study_id_from_name("study")
    expected = reference.get_all_trials(study_id)
    with reference.engine.connect() as connection:
        found = read_trials(connection, study_id, {trial._trial_id for trial in expected})
    reference.engine.dispose()
    return expected, found


@pytest.mark.parametrize("few", [500, 3])
def test_trials_are_those_that_optuna_reads(url: str, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_rows, "_FEW", few)
    expected, found = read_both(url)
    assert len(found) == 9
    assert {trial.state for trial in found} == set(TrialState) - {TrialState.FAIL}
    assert [repr(trial) for trial in found] == [repr(trial) for trial in expected]  # nan is not equal to itself


def test_only_those_that_are_wanted_are_read(url: str) -> None:
    reference = RDBStorage(storage.parse(url).render_as_string(hide_password=False))
    study_id = reference.get_study_id_from_name("study")
    wanted = {reference.get_all_trials(study_id)[place]._trial_id for place in (1, 4)}
    with reference.engine.connect() as connection:
        found = read_trials(connection, study_id, wanted)
    reference.engine.dispose()
    assert [trial.number for trial in found] == [1, 4]


def test_a_trial_that_ends_while_it_is_read_is_not_ended_without_its_value(any_database: str) -> None:
    parsed = storage.parse(any_database)
    store, other = storage.open_or_create(parsed), storage.open_or_create(parsed)
    study = optuna.create_study(storage=store.optuna, study_name="study")
    trial_id = study.ask()._trial_id
    ended: list[str] = []

    def end(*_: object) -> None:
        """Before any statement but the first, as another driver may."""
        if ended == ["first statement"]:
            other.optuna.record(trial_id, {}, {16: 0.9}, TrialState.COMPLETE)
        ended.append("first statement" if not ended else "ended")

    with store.engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", end)
        (found,) = read_trials(connection, 1, {trial_id})
    assert len(ended) > 2
    assert found.state == TrialState.RUNNING
    assert optuna.load_study(storage=other.optuna, study_name="study").trials[0].value == 0.9
    store.close()
    other.close()
