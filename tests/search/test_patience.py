from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import optuna
import pytest
from optuna.distributions import IntDistribution
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import NullPool, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError

from search import patience
from search.bulk_storage import BulkStorage
from search.patience import Patience, passes
from search.patient_storage import UNSTORED, PatientStorage
from tests.postgres import Server, free_port


def refused() -> OperationalError:
    return OperationalError("SELECT 1", {}, Exception("connection refused"), connection_invalidated=True)


class Clock:
    """Goes on by what is slept."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(patience, "time", made)
    return made


class Flaky:
    """Raises an error some times, then works."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error = error
        self.left = times
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.left > 0:
            self.left -= 1
            raise self.error
        return "done"


def listening(seconds: float = 300) -> tuple[Patience, list[str | None]]:
    told: list[str | None] = []
    made = Patience(seconds)
    made.tell = told.append
    return made, told


def failure(url: str | URL, *statements: str, **options: Any) -> DBAPIError:
    """What SQLAlchemy makes of the first of these that fails."""
    engine = create_engine(url, poolclass=NullPool, connect_args=options)

    def execute() -> None:
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    with pytest.raises(DBAPIError) as caught:
        execute()
    return caught.value


def wrapped(error: Exception) -> StorageInternalError:
    """As Optuna passes it on."""
    try:
        raise StorageInternalError("an exception is raised during the commit") from error
    except StorageInternalError as made:
        return made


def test_a_session_that_was_used_after_its_connection_was_lost_passes() -> None:
    """Optuna takes a lost connection in the middle of a query for a query with too many values, and goes on."""
    assert passes(wrapped(PendingRollbackError("Can't reconnect until invalid transaction is rolled back")))


def test_a_refused_connection_passes() -> None:
    assert passes(failure(f"postgresql+psycopg://me@127.0.0.1:{free_port()}/studies"))


def test_a_locked_file_passes_and_a_missing_table_does_not(database: str) -> None:
    engine = create_engine(database, poolclass=NullPool)
    with engine.connect() as holder:
        holder.exec_driver_sql("BEGIN EXCLUSIVE")
        assert passes(failure(database, "CREATE TABLE mine (number INTEGER)", timeout=0))
    assert not passes(failure(database, "SELECT * FROM nowhere"))


def test_a_directory_that_is_not_there_does_not_pass() -> None:
    assert not passes(failure("sqlite:////not/there/studies.db"))


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["SELECT pg_terminate_backend(pg_backend_pid())"], True),
        (["SET TRANSACTION READ ONLY", "CREATE TABLE mine (number INTEGER)"], True),  # a standby taking over
        (["SELECT * FROM nowhere"], False),
        (["SELECT nonsense("], False),
        (["CREATE TEMP TABLE mine (n INTEGER UNIQUE)", "INSERT INTO mine VALUES (1), (1)"], False),
    ],
)
def test_what_a_server_says_passes_or_not(postgres: Server, statements: list[str], expected: bool) -> None:
    assert passes(failure(postgres.url(), *statements)) is expected


def test_of_two_that_wait_for_each_other_the_refused_one_may_try_again(postgres: Server) -> None:
    repeatable = create_engine(postgres.url(), isolation_level="REPEATABLE READ")
    with repeatable.begin() as connection:
        connection.execute(text("CREATE TABLE counted AS SELECT 1 AS number"))
    update = text("UPDATE counted SET number = number + 1")
    with repeatable.connect() as first, repeatable.connect() as second:
        first.execute(text("SELECT * FROM counted"))
        second.execute(update)
        second.commit()
        with pytest.raises(DBAPIError) as caught:
            first.execute(update)
    with repeatable.begin() as connection:
        connection.execute(text("DROP TABLE counted"))
    repeatable.dispose()
    assert passes(caught.value)


def test_what_optuna_has_wrapped_passes_as_what_is_in_it(database: str) -> None:
    assert passes(wrapped(failure(f"postgresql+psycopg://me@127.0.0.1:{free_port()}/studies")))
    assert not passes(wrapped(failure(database, "SELECT * FROM nowhere")))
    assert not passes(StorageInternalError("nothing in it"))


@pytest.mark.parametrize("error", [ValueError("locked"), ConnectionRefusedError(), KeyboardInterrupt()])
def test_errors_of_other_things_do_not_pass(error: BaseException) -> None:
    assert not passes(error)


def test_what_works_is_called_once_and_nobody_is_told(clock: Clock) -> None:
    patient, told = listening()
    call = Flaky(refused(), 0)
    assert patient.run(call) == "done"
    assert (call.calls, told, clock.now) == (1, [], 1000.0)


@pytest.mark.parametrize("error", [refused(), wrapped(refused())], ids=["plain", "wrapped"])
def test_what_fails_is_tried_until_it_works(clock: Clock, error: Exception) -> None:
    patient, told = listening()
    call = Flaky(error, 5)
    assert patient.run(call) == "done"
    assert call.calls == 6
    *lines, last = told
    assert len(lines) == 5
    assert all(line is not None and "the study database is away" in line and "5:00" in line for line in lines)
    assert last is None


def test_each_outage_has_all_its_seconds(clock: Clock) -> None:
    patient, told = listening(10)
    for _ in range(3):
        call = Flaky(refused(), 4)
        assert patient.run(call) == "done"
        clock.sleep(100)
    assert told.count(None) == 3


def test_an_outage_that_lasts_too_long_is_its_own_error(clock: Clock) -> None:
    patient, told = listening(300)
    begun = clock.now
    call = Flaky(refused(), 10_000)
    with pytest.raises(OperationalError) as caught:
        patient.run(call)
    assert caught.value is call.error
    assert 290 < clock.now - begun <= 300
    assert None not in told


def test_without_patience_nothing_is_tried_again(clock: Clock) -> None:
    patient, told = listening(0)
    call = Flaky(refused(), 1)
    with pytest.raises(OperationalError):
        patient.run(call)
    assert (call.calls, told) == (1, [])


@pytest.mark.parametrize("error", [StorageInternalError("nothing in it"), wrapped(ValueError("no")), KeyError("a")])
def test_what_does_not_pass_is_raised_at_once(clock: Clock, error: Exception) -> None:
    patient, told = listening()
    call = Flaky(error, 1)
    with pytest.raises(type(error)) as caught:
        patient.run(call)
    assert caught.value is error
    assert (call.calls, told) == (1, [])


def test_an_error_that_comes_after_an_outage_is_raised(clock: Clock, database: str) -> None:
    patient, _ = listening()
    errors = [refused(), refused(), failure(database, "SELECT * FROM nowhere")]

    def call() -> None:
        raise errors.pop(0)

    with pytest.raises(DBAPIError, match="nowhere"):
        patient.run(call)
    assert errors == []


def test_a_wait_that_is_given_up_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_SHORTEST", 1000.0)  # longer than a test may take
    monkeypatch.setattr(patience, "_GLANCE", 0.001)
    patient, _ = listening(1e6)
    waits = threading.Event()
    patient.tell = lambda _: waits.set()

    def give_up() -> None:
        waits.wait()
        patient.given_up = True

    thread = threading.Thread(target=give_up)
    thread.start()
    call = Flaky(refused(), 10_000)
    with pytest.raises(OperationalError) as caught:
        patient.run(call)
    thread.join()
    assert caught.value is call.error


def test_who_has_given_up_does_not_wait_but_does_what_can_be_done(clock: Clock) -> None:
    patient, told = listening()
    patient.given_up = True
    with pytest.raises(OperationalError):
        patient.run(Flaky(refused(), 1))
    assert patient.run(Flaky(refused(), 0)) == "done"
    assert (told, clock.now) == ([], 1000.0)


class Interrupted(BulkStorage):
    """Loses the answer to the next record; by then the trial has the state `meanwhile`."""

    meanwhile: TrialState | None = None

    def record(
        self, trial_id: int, attributes: Any, results: Any, state: TrialState = TrialState.RUNNING, **more: Any
    ) -> None:
        made, self.meanwhile = self.meanwhile, None
        super().record(trial_id, attributes, results if made in (None, state) else {}, made or state, **more)
        if made is not None:
            raise wrapped(refused())


@contextmanager
def before_each_statement(rows: BulkStorage, action: Callable[..., None]) -> Iterator[None]:
    event.listen(rows.engine, "before_cursor_execute", action)
    try:
        yield
    finally:
        event.remove(rows.engine, "before_cursor_execute", action)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interrupted]:
    made = Interrupted(f"sqlite:///{tmp_path_factory.mktemp('rows') / 'studies.db'}")
    yield made
    made.engine.dispose()


@pytest.fixture
def told() -> list[str | None]:
    return []


@pytest.fixture
def patient(rows: Interrupted, clock: Clock, told: list[str | None], monkeypatch: pytest.MonkeyPatch) -> PatientStorage:
    monkeypatch.setattr("optuna.storages._rdb.storage.time", clock)  # it waits as well before it makes a trial again
    waits = Patience()
    waits.tell = told.append
    return PatientStorage(rows, waits)  # type: ignore[abstract]  # its methods are made in a loop


@pytest.fixture
def study(rows: Interrupted) -> int:
    return rows.create_new_study([StudyDirection.MAXIMIZE])


@pytest.fixture
def trial(rows: Interrupted, study: int) -> int:
    """In training."""
    return rows.create_new_trial(study)


def test_a_state_whose_answer_was_lost_is_told(
    rows: Interrupted, patient: PatientStorage, trial: int, told: list[str | None]
) -> None:
    rows.meanwhile = TrialState.COMPLETE
    patient.record(trial, {"seconds": 2.0}, {16: 0.5}, TrialState.COMPLETE)
    stored = patient.get_trial(trial)
    assert (stored.state, stored.values, stored.intermediate_values) == (TrialState.COMPLETE, [0.5], {16: 0.5})
    assert told[-1] is None


def test_a_state_that_somebody_else_told_another_is_refused(
    rows: Interrupted, patient: PatientStorage, trial: int
) -> None:
    rows.meanwhile = TrialState.FAIL
    with pytest.raises(UpdateFinishedTrialError):
        patient.record(trial, {}, {16: 0.5}, TrialState.COMPLETE)
    stored = patient.get_trial(trial)
    assert (stored.state, stored.values) == (TrialState.FAIL, None)


def test_a_state_told_twice_without_an_outage_is_refused(patient: PatientStorage, trial: int) -> None:
    patient.record(trial, {}, {}, TrialState.FAIL)
    with pytest.raises(UpdateFinishedTrialError):
        patient.record(trial, {}, {}, TrialState.FAIL)


def test_a_result_told_again_takes_the_place_of_the_first(patient: PatientStorage, trial: int) -> None:
    for accuracy in (0.25, 0.5):
        patient.record(trial, {"seconds": accuracy}, {1: accuracy})
    stored = patient.get_trial(trial)
    assert (stored.state, stored.user_attrs, stored.intermediate_values) == (
        TrialState.RUNNING,
        {"seconds": 0.5},
        {1: 0.5},
    )


def test_what_is_noted_on_an_unstored_trial_is_not_written(
    rows: Interrupted, patient: PatientStorage, study: int, trial: int
) -> None:
    statements: list[Any] = []
    with before_each_statement(rows, lambda *about: statements.append(about[2])):
        patient.set_trial_system_attr(UNSTORED, "key", 1)
    assert statements == []
    assert [found.system_attrs for found in patient.get_all_trials(study)] == [{}]
    patient.set_trial_system_attr(trial, "key", 1)
    assert patient.get_trial(trial).system_attrs == {"key": 1}


CALLS: dict[str, Callable[[BaseStorage, int, int], object]] = {
    "create_new_study": lambda storage, study, trial: storage.create_new_study([StudyDirection.MINIMIZE]),
    "create_new_trial": lambda storage, study, trial: storage.create_new_trial(study),
    "delete_study": lambda storage, study, trial: storage.delete_study(study),
    "get_all_studies": lambda storage, study, trial: storage.get_all_studies(),
    "get_all_trials": lambda storage, study, trial: storage.get_all_trials(study, states=(TrialState.RUNNING,)),
    "get_study_directions": lambda storage, study, trial: storage.get_study_directions(study),
    "get_study_id_from_name": lambda storage, study, trial: storage.get_study_id_from_name(f"study {study}"),
    "get_study_name_from_id": lambda storage, study, trial: storage.get_study_name_from_id(study),
    "get_study_system_attrs": lambda storage, study, trial: storage.get_study_system_attrs(study),
    "get_study_user_attrs": lambda storage, study, trial: storage.get_study_user_attrs(study),
    "get_trial": lambda storage, study, trial: storage.get_trial(trial),
    "set_study_system_attr": lambda storage, study, trial: storage.set_study_system_attr(study, "key", 1),
    "set_study_user_attr": lambda storage, study, trial: storage.set_study_user_attr(study, "key", 1),
    "set_trial_intermediate_value": lambda storage, study, trial: storage.set_trial_intermediate_value(trial, 1, 0.5),
    "set_trial_param": lambda storage, study, trial: storage.set_trial_param(trial, "x", 2.0, IntDistribution(1, 3)),
    "set_trial_state_values": lambda storage, study, trial: storage.set_trial_state_values(trial, TrialState.FAIL),
    "set_trial_system_attr": lambda storage, study, trial: storage.set_trial_system_attr(trial, "key", 1),
    "set_trial_user_attr": lambda storage, study, trial: storage.set_trial_user_attr(trial, "key", 1),
}
"""All that Optuna asks of a storage."""


def test_optuna_asks_for_nothing_that_is_not_there() -> None:
    assert CALLS.keys() == BaseStorage.__abstractmethods__
    for name in CALLS:
        assert getattr(PatientStorage, name) is not getattr(BaseStorage, name)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_every_call_waits_out_an_outage(
    name: str, rows: Interrupted, patient: PatientStorage, told: list[str | None]
) -> None:
    study = rows.create_new_study([StudyDirection.MAXIMIZE])
    rows.set_study_user_attr(study, "before", 1)
    named = rows.create_new_study([StudyDirection.MAXIMIZE], f"study {study}")
    trial = patient.create_new_trial(study)

    def fail(*_: Any) -> None:
        if len(told) < 2:
            raise refused()

    with before_each_statement(rows, fail):
        answer = CALLS[name](patient, study, trial)
    assert len(told) == 3
    assert told[-1] is None
    if name == "get_study_id_from_name":
        assert answer == named
    elif name.startswith("get"):
        assert answer == CALLS[name](rows, study, trial)


def test_a_study_is_searched_through_it_as_through_any_storage(patient: PatientStorage) -> None:
    study = optuna.create_study(storage=patient, direction="maximize")
    study.optimize(lambda trial: trial.suggest_int("x", 1, 9), n_trials=4)
    assert [trial.values for trial in study.get_trials()] == [[trial.params["x"]] for trial in study.get_trials()]
    assert study.best_value == max(trial.params["x"] for trial in study.get_trials())
