from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from search import storage
from search.errors import SearchError, StorageError


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


def test_a_new_file_is_in_wal_mode(database: str, tmp_path: Path) -> None:
    storage.open_storage(storage.parse(database))
    connection = sqlite3.connect(tmp_path / "studies.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_transactions_do_not_wait_for_the_disk(database: str) -> None:
    store = storage.open_storage(storage.parse(database))
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1  # NORMAL


def test_looking_for_studies_creates_nothing(database: str, tmp_path: Path) -> None:
    assert not storage.exists(storage.parse(database))
    assert not list(tmp_path.glob("studies*"))


def test_a_file_that_is_no_database_is_one_clear_error(database: str, tmp_path: Path) -> None:
    (tmp_path / "studies.db").write_text("this is not a database, whatever its name says\n" * 50)
    with pytest.raises(StorageError, match="not a database"):
        storage.open_storage(storage.parse(database))


def test_many_can_open_a_fresh_file_at_once(database: str) -> None:
    script = f"from search import storage; storage.open_storage(storage.parse({database!r}))"
    command = [sys.executable, "-c", script]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: subprocess.run(command, capture_output=True, text=True, check=False), range(4)))
    assert [process.stderr for process in done if process.returncode] == []


def test_a_study_has_one_driver_at_a_time(database: str) -> None:
    url = storage.parse(database)
    with storage.only_driver(url, "study"):
        with pytest.raises(SearchError, match="being searched by another process"), storage.only_driver(url, "study"):
            pass
        with storage.only_driver(url, "another"):
            pass
    with storage.only_driver(url, "study"):
        pass


def test_a_killed_driver_holds_nothing(database: str) -> None:
    script = (
        "import time; from search import storage\n"
        f"with storage.only_driver(storage.parse({database!r}), 'study'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    time.sleep(0.1)
    with storage.only_driver(storage.parse(database), "study"):
        pass
