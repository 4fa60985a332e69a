from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna
import pytest
import sqlalchemy

from search import storage
from search.errors import SettingsError, StorageError
from search.storage import Store
from tests.postgres import free_port


def test_plain_postgres_urls_get_the_driver_and_passwords_are_hidden() -> None:
    url = storage.parse("postgresql://me:sec{ret@db/studies")
    assert url.drivername == "postgresql+psycopg"
    assert "sec" not in storage.masked(url)


@pytest.mark.parametrize("text", ["studies.db", "", "nonsense://x", "://"])
def test_what_is_no_url_is_refused(text: str) -> None:
    with pytest.raises(StorageError):
        storage.parse(text)


def test_a_refused_url_does_not_show_its_password() -> None:
    with pytest.raises(StorageError) as caught:
        storage.parse("not a url//me:secret@db")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["mysql://u@h/d", "sqlite://", "sqlite:///:memory:", "postgresql://me:secret@db", "oracle://me:secret@h/d"]
)
def test_other_databases_and_those_that_do_not_last_are_refused(text: str) -> None:
    with pytest.raises(StorageError, match="storage must be sqlite:///FILE or postgresql://") as caught:
        storage.parse(text)
    assert "secret" not in str(caught.value)


def test_the_password_comes_from_the_url_then_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("p{w}@:/?#%s\n")
    monkeypatch.setenv(storage.PASSWORD_FILE, str(tmp_path / "password"))
    assert storage.parse("postgresql://me@db/studies").password == "p{w}@:/?#%s"
    assert storage.parse("postgresql://me:own@db/studies").password == "own"
    in_query = storage.parse("postgresql://me@db/studies?password=own")
    assert in_query.password == "own"
    assert "own" not in storage.masked(in_query)


def test_a_password_file_that_cannot_be_read_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(storage.PASSWORD_FILE, "/not/there")
    with pytest.raises(SettingsError, match="must name a readable file, but /not/there: No such file"):
        storage.parse("postgresql://me@db/studies")


def test_a_new_file_is_in_wal_mode(store: Store, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "studies.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_transactions_do_not_wait_for_the_disk(store: Store) -> None:
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1  # NORMAL


def test_looking_for_studies_creates_nothing(any_database: str, tmp_path: Path) -> None:
    url = storage.parse(any_database)
    assert storage.open_existing(url) is None
    assert storage.open_existing(url) is None
    assert not list(tmp_path.glob("studies*"))


def test_what_was_made_is_there(any_database: str) -> None:
    url = storage.parse(any_database)
    storage.open_or_create(url).close()
    for opened in (storage.open_existing(url), storage.open_or_create(url)):
        assert opened is not None
        assert opened.optuna.get_all_studies() == []
        opened.close()


def test_a_server_that_is_not_there_is_one_clear_error_without_its_password() -> None:
    url = storage.parse(f"postgresql://me:secret@127.0.0.1:{free_port()}/studies")
    for attempt in (storage.open_existing, storage.open_or_create):
        with pytest.raises(StorageError, match="refused") as caught:
            attempt(url)
        assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_one_clear_error(database: str, tmp_path: Path) -> None:
    (tmp_path / "studies.db").write_text("this is not a database, whatever its name says\n" * 50)
    with pytest.raises(StorageError, match="not a database"):
        storage.open_or_create(storage.parse(database))


HOLD = """
import sys, time
from search import storage
with storage.open_or_create(storage.parse(sys.argv[1])).exclusively("study"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_is_held_by_one_process_and_ends_with_it(any_database: str) -> None:
    store = storage.open_or_create(storage.parse(any_database))
    command = [sys.executable, "-c", HOLD, any_database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder, ThreadPoolExecutor() as pool:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        def wait_for_it() -> None:
            with store.exclusively("study"):
                pass

        waiting = pool.submit(wait_for_it)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.5)
        holder.kill()
        waiting.result(timeout=30)
    store.close()


def test_a_candidate_is_made_in_a_few_statements(any_database: str) -> None:
    store = storage.open_or_create(storage.parse(any_database))
    study = optuna.create_study(storage=store.optuna)
    ranges = {f"range {place}": optuna.distributions.IntDistribution(1, 9) for place in range(30)}
    trial = optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING,
        params=dict.fromkeys(ranges, 3),
        distributions=dict(ranges),
        user_attrs={f"attribute {place}": place for place in range(9)},
        constraints={"parameters": -1.0},
    )
    statements: list[str] = []
    sqlalchemy.event.listen(store.engine, "before_cursor_execute", lambda *about: statements.append(about[2]))
    made = store.optuna.create(study._study_id, [trial, trial])
    assert [one.number for one in made] == [0, 1]
    assert len(statements) < 12
    again = storage.open_or_create(storage.parse(any_database))
    for number, stored in enumerate(again.optuna.get_all_trials(study._study_id)):
        assert (stored.number, stored.state) == (number, optuna.trial.TrialState.RUNNING)
        assert (stored.params, stored.distributions) == (trial.params, trial.distributions)
        assert (stored.user_attrs, stored.constraints) == (trial.user_attrs, {"parameters": -1.0})
        assert stored.datetime_start == trial.datetime_start
    again.close()
    store.close()
