"""`search dashboard` in a process of its own, asked over real HTTP; on Postgres by a role that may only read."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import optuna
import pytest
from optuna.distributions import IntDistribution
from optuna.exceptions import StorageInternalError
from optuna.trial import create_trial
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, ProgrammingError

from dashboards.site.figures import PARETO
from dashboards.views.catalogue import NAMES
from search import storage
from search.commands.dashboard import dashboard_command, only_read
from search.errors import NotFoundError, SearchError, SettingsError
from search.ledger import own_names
from tests.studies_in_databases import make

SEARCH = str(Path(sys.executable).with_name("search"))
TOKEN = "correct horse battery staple"


@dataclass
class Running:
    """A dashboard and how it is reached."""

    process: subprocess.Popen[str]
    netloc: str

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.netloc, timeout=60)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, told)
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Its exit code and all else that it said."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out + err


@contextmanager
def dashboard(*options: str, **environment: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [SEARCH, "dashboard", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert first.startswith("dashboard: http://"), first + process.stderr.read()
        yield Running(process, urlsplit(first.split()[1].rstrip(";")).netloc)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def fill(url: URL) -> None:
    """A study of ours with candidates of all states, and one of another program."""
    store = storage.open_or_create(url)
    make(store, "small/er", 20)
    study = optuna.create_study(storage=store.optuna, study_name="foreign", direction="maximize")
    study.add_trial(create_trial(value=0.5, params={"width": 1}, distributions={"width": IntDistribution(1, 64)}))
    store.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    fill(storage.parse(url))
    return url


@pytest.fixture
def reader_url(postgres_url: URL) -> Iterator[URL]:
    """A filled database, for a role with SELECT on its tables and nothing else."""
    fill(postgres_url)
    name, engine = f"r{uuid.uuid4().hex}", create_engine(postgres_url)
    with engine.begin() as connection:
        for statement in (
            f"CREATE ROLE {name} LOGIN PASSWORD 'looks only'",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}",
        ):
            connection.execute(text(statement))
    yield URL.create("postgresql", name, host=postgres_url.host, port=postgres_url.port, database=postgres_url.database)
    with engine.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {name}"))
        connection.execute(text(f"DROP ROLE {name}"))
    engine.dispose()


def rows(url: URL) -> dict[str, int]:
    """How many rows each table has."""
    engine = create_engine(url)
    with engine.connect() as connection:
        names = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        found = {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}
    engine.dispose()
    return found


def test_a_reader_of_postgres_sees_everything_and_changes_nothing(
    reader_url: URL, postgres_url: URL, tmp_path: Path
) -> None:
    password, before = tmp_path / "password", rows(postgres_url)
    password.write_text("looks only\n")
    engine = create_engine(reader_url.set(drivername="postgresql+psycopg", password="looks only"))
    with pytest.raises(ProgrammingError, match="permission denied"), engine.begin() as connection:
        connection.execute(text("DELETE FROM trials"))
    engine.dispose()
    shown = reader_url.render_as_string()
    with dashboard(OPTUNA_STORAGE=shown, PETITNET_STORAGE_PASSWORD_FILE=str(password)) as there:
        check_what_is_shown(there)
        check_that_nothing_changes(there)
        code, said = there.end(signal.SIGTERM)
    assert (code, said) == (0, "")
    assert rows(postgres_url) == before


def check_what_is_shown(there: Running) -> None:
    check_our_pages(there)
    status, headers, page = there.ask("/dashboard/studies/1")
    assert status == 200
    assert b"/static/bundle.js" in page
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    study, foreign = json.loads(there.ask("/api/studies")[2])["study_summaries"]
    assert (study["study_name"], foreign["study_name"]) == ("small/er", "foreign")
    place = f"/api/studies/{study['study_id']}"
    detail = json.loads(there.ask(place)[2])
    assert {trial["state"] for trial in detail["trials"]} >= {"Complete", "Pruned", "Running"}
    assert len(detail["trials"]) == 20
    for path in (f"{place}/param_importances", f"{place}/plot/slice", f"/csv/{study['study_id']}", "/api/meta"):
        assert there.ask(path)[0] == 200
    for path in ("/static/bundle.js", "/favicon.ico"):
        assert there.ask(path)[0] == there.ask(path, Accept_Encoding="gzip")[0] == there.ask(path, "HEAD")[0] == 200


def check_our_pages(there: Running) -> None:
    status, headers, page = there.ask("/")
    assert status == 200
    assert b'href="/studies/small%2Fer"' in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    for below in ("", "/candidates", "/candidates/0", "/candidates/0/layers.svg", "/report", "/pareto.svg"):
        assert there.ask(f"/studies/small%2Fer{below}")[0] == 200, below
    for figure in (*PARETO, *NAMES):
        status, headers, told = there.ask(f"/studies/small%2Fer/figures/{figure}.json")
        assert status == 200
        assert json.loads(told)["notes"], figure
        again = there.ask(f"/studies/small%2Fer/figures/{figure}.json", If_None_Match=headers["ETag"])
        assert (again[0], again[2]) == (304, b"")


def check_that_nothing_changes(there: Running) -> None:
    for method, path in (
        ("DELETE", "/api/studies/1"),
        ("POST", "/api/studies"),
        ("POST", "/api/studies/1/rename"),
        ("PUT", "/api/studies/1/note"),
        ("POST", "/api/trials/1/tell"),
        ("POST", "/incompatible-rdb-schema"),
    ):
        assert there.ask(path, method)[0] == 405
    assert there.ask("/api/studies", Host="evil.example")[0] == 403


def test_a_token_is_asked_of_everybody(sqlite: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    options = "--host", "0.0.0.0", "--allow-host", "dash.example"
    with dashboard(*options, OPTUNA_STORAGE=sqlite, PETITNET_DASHBOARD_TOKEN_FILE=str(file)) as there:
        assert there.ask("/healthz")[0] == 200
        assert there.ask("/api/studies")[0] == 401
        assert there.ask("/api/studies", Authorization=f"Bearer {TOKEN}", Host="dash.example")[0] == 200
        assert there.ask("/api/studies", Authorization=f"Bearer {TOKEN}", Host="0.0.0.0")[0] == 403
        status, headers, _ = there.ask("/dashboard?token=correct+horse%20battery%20staple")
        assert (status, headers["Location"]) == (303, "/dashboard")
        assert there.ask("/api/studies", Cookie=headers["Set-Cookie"].split(";")[0])[0] == 200
        code, said = there.end(signal.SIGINT)
    assert (code, said) == (0, "")


def test_new_results_are_shown(sqlite: str) -> None:
    with dashboard("--storage", sqlite) as there:
        store = storage.open_or_create(storage.parse(sqlite))
        optuna.create_study(storage=store.optuna, study_name="later")
        store.close()
        names = [study["study_name"] for study in json.loads(there.ask("/api/studies")[2])["study_summaries"]]
    assert names == ["small/er", "foreign", "later"]


def note(there: Running, address: str, **more: str) -> int:
    """The status of a note as Optuna's page writes it."""
    told = {"Authorization": f"Bearer {TOKEN}", "Content_Type": "application/json", "Origin": f"http://{there.netloc}"}
    return there.ask(address, "PUT", json.dumps({"body": "looked at", "version": 1}), **(told | more))[0]


def test_notes_can_be_written_if_that_is_wanted(sqlite: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    with dashboard("--storage", sqlite, "--token-file", str(file), "--allow-writes") as there:
        assert note(there, "/api/studies/1/note") == 204
        assert note(there, "/api/studies/1/1/note") == 204
        assert note(there, "/api/studies/1/note", Origin="http://evil.example") == 403
        assert note(there, "/api/studies/1/note", Authorization="Bearer no") == 401
        detail = json.loads(there.ask("/api/studies/1", Authorization=f"Bearer {TOKEN}")[2])
        assert there.ask("/api/studies/1", "DELETE", Authorization=f"Bearer {TOKEN}")[0] == 405
    assert detail["note"]["body"] == "looked at"


def test_writing_needs_a_token(sqlite: str) -> None:
    error = refused("--storage", sqlite, "--allow-writes")
    assert isinstance(error, SettingsError)
    assert "needs a token" in str(error)


@pytest.mark.parametrize("database", ["sqlite", "postgres_url"])
def test_the_database_itself_refuses_to_be_written_to(database: str, request: pytest.FixtureRequest) -> None:
    url: Any = request.getfixturevalue(database)
    if database == "postgres_url":
        fill(url)
    store = storage.open_existing(storage.parse(url) if isinstance(url, str) else url)
    assert store is not None
    assert own_names(store) == ["small/er"]
    only_read(store)
    assert own_names(store) == ["small/er"]
    with pytest.raises(StorageInternalError):
        store.optuna.set_study_user_attr(1, "key", "value")
    with pytest.raises(DBAPIError, match=r"read-?only"), store.engine.begin() as connection:
        connection.execute(text("DELETE FROM trials"))
    store.close()


def test_a_browser_is_opened_if_that_is_wanted(sqlite: str, tmp_path: Path) -> None:
    file, seen = tmp_path / "token", tmp_path / "seen"
    file.write_text(TOKEN)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}.part\nmv {seen}.part {seen}\n')
    browser.chmod(0o755)
    with dashboard("--storage", sqlite, "--token-file", str(file), "--open", BROWSER=f"{browser} %s") as there:
        for _ in range(600):
            if seen.exists():
                break
            time.sleep(0.05)
        address = urlsplit(seen.read_text())
        assert address.netloc == there.netloc
        assert TOKEN not in address.query
        first, again = (there.ask(f"/?{address.query}")[0] for _ in range(2))
    assert (first, again) == (303, 401)


def refused(*arguments: str) -> SearchError:
    with pytest.raises(SearchError) as raised:
        dashboard_command.main(list(arguments), standalone_mode=False)
    return raised.value


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_others_need_a_token(sqlite: str, host: str) -> None:
    error = refused("--storage", sqlite, "--host", host)
    assert isinstance(error, SettingsError)
    assert f"needs a token, but got --host {host} without --token-file" in str(error)


def test_a_token_must_be_long_and_plain(sqlite: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    for token in (b"", b"short", b"0123456789abcdef\nand more", "ÄÖÜäöüßÄÖÜäöüßÄÖÜ".encode(), b"\xff" * 20):
        file.write_bytes(token)
        error = refused("--storage", sqlite, "--token-file", str(file))
        assert isinstance(error, SettingsError)
        assert str(file) in str(error)
    assert "No such file" in str(refused("--storage", sqlite, "--token-file", str(tmp_path / "none")))


def test_there_must_be_a_database(tmp_path: Path) -> None:
    error = refused("--storage", f"sqlite:///{tmp_path / 'none.db'}")
    assert isinstance(error, NotFoundError)
    assert not (tmp_path / "none.db").exists()


def test_a_port_in_use_is_said_in_one_line(sqlite: str) -> None:
    with dashboard("--storage", sqlite) as there:
        port = there.netloc.rpartition(":")[2]
        again = [SEARCH, "dashboard", "--storage", sqlite, "--port", port]
        second = subprocess.run(again, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert second.stderr == f"error: the dashboard cannot listen on 127.0.0.1 port {port}: Address already in use\n"


def test_without_its_package_it_says_what_to_install(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    assert "needs petitnet[dashboard]" in str(refused("--storage", sqlite))
