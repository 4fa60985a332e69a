from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import optuna
import pytest
from click.testing import CliRunner, Result
from psycopg.sql import Identifier, Literal
from sqlalchemy import NullPool, create_engine, inspect
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from search import database, storage
from search.commands.db import db_command
from search.errors import SearchError, SettingsError, StorageError
from search.findings import Finding
from tests.postgres import free_port

PASSWORD = r"""it's a "p\ass" {word} %s $1; -- ü"""
"""What quoting could trip over."""


@pytest.fixture
def url(any_database: str) -> URL:
    return storage.parse(any_database)


@pytest.fixture
def role() -> str:
    """A name that needs quoting, of no other test."""
    return f"""o'lo"o\\ker %s{{}} {uuid.uuid4().hex[:8]}"""


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n", encoding="utf-8")
    return file


def db(*arguments: object, url: URL) -> Result:
    shown = url.render_as_string(hide_password=False)
    return CliRunner().invoke(db_command, [*map(str, arguments), "--storage", shown], standalone_mode=False)


def execute(url: URL, *statements: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def tables(url: URL) -> list[str]:
    return inspect(create_engine(url, poolclass=NullPool)).get_table_names()


def findings(url: URL) -> dict[str, Finding]:
    return {finding.name: finding for finding in database.check(url)}


def test_init_makes_the_tables_once(url: URL) -> None:
    assert db("init", url=url).output == f"schema of {storage.masked(url)}: made\n"
    assert db("init", url=url).output == f"schema of {storage.masked(url)}: was there\n"
    store = storage.open_existing(url)
    assert store is not None
    store.close()


def test_init_adds_what_is_missing(url: URL) -> None:
    database.prepare(url)
    execute(url, "DROP TABLE petitnet_drivers")
    assert findings(url)["schema"].remedy == "add them: search db init"
    assert "completed" in db("init", url=url).output
    assert findings(url)["schema"].ok


def test_several_inits_at_once_all_succeed(url: URL) -> None:
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda _: database.prepare(url), range(4)))
    assert database.Schema.ABSENT in made
    assert findings(url)["schema"].ok


def test_all_is_well_with_a_new_database(url: URL) -> None:
    database.prepare(url)
    store = storage.open_or_create(url)
    optuna.create_study(storage=store.optuna, study_name="one")
    store.close()
    checked = db("check", "--json", url=url)
    rows = json.loads(checked.output)
    assert checked.return_value == 0
    assert [row["name"] for row in rows] == ["server", "schema", "access", "latency", "clock", "studies"]
    assert all(row["ok"] and row["remedy"] == "" for row in rows)
    texts = {row["name"]: row["text"] for row in rows}
    assert texts["access"] == "read and write"
    assert texts["studies"] == "1"
    assert texts["latency"].endswith("ms a round trip")
    assert storage.masked(url) in texts["server"]


def test_a_check_prints_one_line_each(url: URL) -> None:
    database.prepare(url)
    lines = db("check", url=url).output.splitlines()
    assert len(lines) == 6
    assert all(line.startswith("ok ") for line in lines)


def test_a_check_creates_nothing(url: URL, tmp_path: Path) -> None:
    checked = db("check", url=url)
    assert checked.return_value == 1
    assert "search db init" in checked.output
    if url.drivername == "sqlite":
        assert list(tmp_path.iterdir()) == []
    else:
        assert tables(url) == []


@pytest.mark.parametrize(
    ("revision", "said"),
    [("v2.6.0.a", "optuna storage upgrade"), ("v99.0.0.a", "install the Optuna that made it")],
)
def test_tables_of_another_optuna_are_told_and_left_alone(url: URL, revision: str, said: str) -> None:
    database.prepare(url)
    execute(url, f"UPDATE alembic_version SET version_num = '{revision}'")
    found = findings(url)["schema"]
    assert not found.ok
    assert revision in found.text
    assert said in found.remedy
    with pytest.raises(StorageError, match=said):
        database.prepare(url)


def test_a_file_that_is_not_in_wal_mode_is_mended_by_init(tmp_path: Path) -> None:
    url = storage.parse(f"sqlite:///{tmp_path / 'studies.db'}")
    database.prepare(url)
    execute(url, "PRAGMA journal_mode=DELETE")
    assert not findings(url)["server"].ok
    database.prepare(url)
    assert findings(url)["server"].ok


def test_a_file_that_may_not_be_written_is_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = storage.parse(f"sqlite:///{tmp_path / 'studies.db'}")
    database.prepare(url)
    monkeypatch.setattr("os.access", lambda *_: False)  # tests may run as root, who may write everywhere
    assert findings(url)["access"] == Finding("access", True, "read only: enough to look, not to search")


def test_a_server_that_is_not_there_is_exit_code_5() -> None:
    checked = db("check", url=storage.parse(f"postgresql://me:secret@127.0.0.1:{free_port()}/studies"))
    assert isinstance(checked.exception, StorageError)
    assert checked.exception.exit_code == 5
    assert "refused" in str(checked.exception)
    assert "secret" not in str(checked.exception)


def test_a_file_that_is_no_database_is_exit_code_5(tmp_path: Path) -> None:
    file = tmp_path / "studies.db"
    file.write_text("not a database\n" * 100)
    checked = db("check", url=storage.parse(f"sqlite:///{file}"))
    assert isinstance(checked.exception, StorageError)


@pytest.mark.parametrize(("ahead", "ok"), [(-4.0, True), (60.0, False)])
def test_clocks_that_differ_are_told(
    postgres_url: URL, monkeypatch: pytest.MonkeyPatch, ahead: float, ok: bool
) -> None:
    now = time.time
    monkeypatch.setattr("time.time", lambda: now() + ahead)
    found = findings(postgres_url)["clock"]
    assert found.ok is ok
    assert f"is {-ahead:+.1f} s from ours" in found.text
    assert bool(found.remedy) is not ok


def reader_of(url: URL, role: str, password: str = PASSWORD) -> URL:
    return url.set(username=role, password=password)


def test_a_reader_may_look(postgres_url: URL, role: str, password_file: Path) -> None:
    done = db("init", "--reader", role, "--reader-password-file", password_file, url=postgres_url)
    assert done.return_value == 0, done.exception
    assert f"reader {role}: made" in done.output
    writer = storage.open_or_create(postgres_url)
    optuna.create_study(storage=writer.optuna, study_name="one")
    writer.close()
    store = storage.open_existing(reader_of(postgres_url, role))
    assert store is not None
    assert [study.study_name for study in store.optuna.get_all_studies()] == ["one"]
    store.close()
    found = findings(reader_of(postgres_url, role))
    assert all(finding.ok for finding in found.values())
    assert found["access"].text.startswith("read only")
    assert found["studies"].text == "1"


def test_a_reader_sees_tables_that_are_made_later(postgres_url: URL, role: str, password_file: Path) -> None:
    db("init", "--reader", role, "--reader-password-file", password_file, url=postgres_url)
    execute(postgres_url, "CREATE TABLE later (x integer)")
    execute(reader_of(postgres_url, role), "SELECT * FROM later")


def test_a_reader_may_not_write_even_if_it_insists(postgres_url: URL, role: str, password_file: Path) -> None:
    db("init", "--reader", role, "--reader-password-file", password_file, url=postgres_url)
    reader = reader_of(postgres_url, role)
    for statement in (
        "INSERT INTO studies (study_name) VALUES ('x')",
        "UPDATE alembic_version SET version_num = 'x'",
        "DELETE FROM trials",
        "TRUNCATE petitnet_drivers",
        "DROP TABLE petitnet_drivers",
        "CREATE TABLE mine (x integer)",
    ):
        with pytest.raises(DBAPIError, match="read-only transaction"):
            execute(reader, statement)
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            execute(reader, "SET default_transaction_read_only = off", statement)


def test_init_again_gives_the_reader_its_new_password(postgres_url: URL, role: str, password_file: Path) -> None:
    arguments = "init", "--reader", role, "--reader-password-file", password_file
    db(*arguments, url=postgres_url)
    password_file.write_text("another")
    again = db(*arguments, url=postgres_url)
    assert "was there, and has this password now" in again.output
    execute(reader_of(postgres_url, role, "another"), "SELECT 1")
    with pytest.raises(DBAPIError, match="authentication failed"):
        execute(reader_of(postgres_url, role), "SELECT 1")


def test_the_reader_s_password_file_may_come_from_the_environment_and_is_never_shown(
    postgres_url: URL, role: str, password_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PETITNET_READER_PASSWORD_FILE", str(password_file))
    done = db("init", "--reader", role, url=postgres_url)
    assert done.return_value == 0
    assert PASSWORD not in done.output
    assert str(postgres_url.password) not in done.output
    execute(reader_of(postgres_url, role), "SELECT 1")


def test_several_inits_of_a_reader_at_once_all_succeed(postgres_url: URL, role: str) -> None:
    from search.reader import grant_reader

    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda _: grant_reader(postgres_url, role, PASSWORD)[0], range(4)))
    assert sorted(made) == [False, False, False, True]


def test_a_writer_is_not_made_a_reader(postgres_url: URL, password_file: Path) -> None:
    own = str(postgres_url.username)
    done = db("init", "--reader", own, "--reader-password-file", password_file, url=postgres_url)
    assert isinstance(done.exception, SettingsError)
    assert "must be a role that cannot write" in str(done.exception)
    execute(postgres_url, "CREATE TABLE mine (x integer)")  # its password and its rights are what they were


def test_an_earlier_right_to_write_is_taken_away(postgres_url: URL, role: str, password_file: Path) -> None:
    database.prepare(postgres_url)
    name = Identifier(role).as_string()
    rights = f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}", f"GRANT ALL ON SCHEMA public TO {name}"
    execute(postgres_url, f"CREATE ROLE {name}", *rights)
    done = db("init", "--reader", role, "--reader-password-file", password_file, url=postgres_url)
    assert done.return_value == 0, done.exception
    with pytest.raises(DBAPIError, match="permission denied"):
        execute(reader_of(postgres_url, role), "SET default_transaction_read_only = off", "DELETE FROM trials")


def test_where_everybody_may_make_tables_that_is_told(postgres_url: URL, role: str, password_file: Path) -> None:
    execute(postgres_url, "GRANT CREATE ON SCHEMA public TO PUBLIC")  # as it was up to Postgres 14
    done = db("init", "--reader", role, "--reader-password-file", password_file, url=postgres_url)
    assert done.return_value == 0
    assert "REVOKE CREATE ON SCHEMA public FROM PUBLIC" in done.stderr


@pytest.fixture
def owner(postgres_url: URL) -> URL:
    """A user who may make tables but no roles."""
    name = f"owner{uuid.uuid4().hex[:8]}"
    secret = Literal(PASSWORD).as_string()
    execute(postgres_url, f"CREATE ROLE {name} LOGIN PASSWORD {secret}", f"GRANT ALL ON SCHEMA public TO {name}")
    return postgres_url.set(username=name, password=PASSWORD)


def test_who_may_not_make_roles_is_told_so(owner: URL, role: str, password_file: Path) -> None:
    done = db("init", "--reader", role, "--reader-password-file", password_file, url=owner)
    assert isinstance(done.exception, StorageError)
    assert done.exception.exit_code == 5
    assert "CREATEROLE, but: permission denied to create role" in str(done.exception)
    assert "\n" not in str(done.exception)
    assert PASSWORD not in str(done.exception)
    assert db("init", url=owner).return_value == 0


def test_who_may_not_read_the_tables_is_told_so(postgres_url: URL, owner: URL) -> None:
    database.prepare(postgres_url)
    found = findings(owner)
    assert not found["access"].ok
    assert f"search db init --reader {owner.username}" in found["access"].remedy
    assert "studies" not in found


@pytest.mark.parametrize(
    ("content", "reader", "said"),
    [
        (None, "looker", "must be readable"),
        ("", "looker", "must not be empty"),
        ("\n", "looker", "must not be empty"),
        ("a\0b", "looker", "must not be empty nor hold a NUL"),
        (b"\xff", "looker", "must be UTF-8"),
        ("fine", "", "must have 1 to 63 bytes"),
        ("fine", "ü" * 32, "must have 1 to 63 bytes"),
    ],
)
def test_bad_readers_are_refused_before_anything_is_made(
    postgres_url: URL, tmp_path: Path, content: str | bytes | None, reader: str, said: str
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = db("init", "--reader", reader, "--reader-password-file", file, url=postgres_url)
    assert isinstance(done.exception, SettingsError)
    assert said in str(done.exception)
    assert tables(postgres_url) == []


def test_a_reader_needs_a_password(postgres_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PETITNET_READER_PASSWORD_FILE", raising=False)
    done = db("init", "--reader", "looker", url=postgres_url)
    assert isinstance(done.exception, SettingsError)
    assert "--reader-password-file" in str(done.exception)


def test_sqlite_has_no_readers(tmp_path: Path, password_file: Path) -> None:
    url = storage.parse(f"sqlite:///{tmp_path / 'studies.db'}")
    done = db("init", "--reader", "looker", "--reader-password-file", password_file, url=url)
    assert isinstance(done.exception, SettingsError)
    assert done.exception.exit_code == 2
    assert not Path(str(url.database)).exists()


@pytest.mark.parametrize("name", ["pg_mine", "public"])
def test_names_that_postgres_keeps_for_itself_are_one_line(postgres_url: URL, password_file: Path, name: str) -> None:
    done = db("init", "--reader", name, "--reader-password-file", password_file, url=postgres_url)
    assert isinstance(done.exception, SearchError)
    assert "reserved" in str(done.exception)
    assert "\n" not in str(done.exception)


def test_a_terminal_gets_ticks_and_crosses(monkeypatch: pytest.MonkeyPatch) -> None:
    from search import findings as shown

    class Terminal:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    draw: Callable[[bool], str] = shown._mark
    assert (draw(True), draw(False)) == ("ok   ", "wrong")
    monkeypatch.setattr("sys.stdout", Terminal())
    assert [click.unstyle(draw(ok)) for ok in (True, False)] == ["✓", "✗"]
    assert draw(True) != "✓"
    monkeypatch.setenv("NO_COLOR", "1")
    assert draw(True) == "✓"
    monkeypatch.setattr(Terminal, "encoding", "ascii")
    assert draw(True) == "ok   "
