"""`search dashboard` in a process of its own, asked over real HTTP; on Postgres by a role that may only read."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import optuna
import pytest
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError

from search import storage
from search.command_dashboard import dashboard_command
from search.errors import NotFoundError, SearchError, SettingsError

SEARCH = str(Path(sys.executable).with_name("search"))
TOKEN = "correct horse battery staple"


@dataclass
class Running:
    """A dashboard and how it is reached."""

    process: subprocess.Popen[str]
    netloc: str

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.netloc, timeout=60)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Its exit code and all else that it said."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=10)
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
    """A study with trials in several states."""
    store = storage.open_or_create(url)
    study = optuna.create_study(storage=store.optuna, study_name="small", direction="maximize")
    space: dict[str, BaseDistribution] = {"width": IntDistribution(1, 64), "depth": IntDistribution(1, 8)}
    for number in range(12):
        state = (TrialState.COMPLETE, TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)[number % 4]
        study.add_trial(
            create_trial(
                state=state,
                value=None if state is TrialState.FAIL else 0.5 + number / 100,
                params={"width": 1 + 5 * number, "depth": 1 + number % 8},
                distributions=space,
                user_attrs={"architecture": "1x8x8-4c3nr-G"},
                intermediate_values={1: 0.5},
            )
        )
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
    status, headers, _ = there.ask("/")
    assert (status, headers["Location"]) == (302, f"http://{there.netloc}/dashboard")
    status, headers, page = there.ask("/dashboard/studies/1")
    assert status == 200
    assert b"/static/bundle.js" in page
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    (study,) = json.loads(there.ask("/api/studies")[2])["study_summaries"]
    assert study["study_name"] == "small"
    place = f"/api/studies/{study['study_id']}"
    detail = json.loads(there.ask(place)[2])
    assert [trial["state"] for trial in detail["trials"][:4]] == ["Complete", "Complete", "Pruned", "Fail"]
    assert len(detail["trials"]) == 12
    for path in (f"{place}/param_importances", f"{place}/plot/slice", f"/csv/{study['study_id']}", "/api/meta"):
        assert there.ask(path)[0] == 200
    for path in ("/static/bundle.js", "/favicon.ico"):
        assert there.ask(path)[0] == there.ask(path, Accept_Encoding="gzip")[0] == there.ask(path, "HEAD")[0] == 200


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
    assert names == ["small", "later"]


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
