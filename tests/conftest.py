"""What every room's tests share."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from tests.postgres import Server, programs, server

os.environ.setdefault("RAY_worker_niceness", "0")
"""Ray's workers run at 15 otherwise, and starve beside tests that run in parallel."""
signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell starts what it leaves in the background with SIGINT ignored, and our tests' processes would inherit that."""
KERNELS = "PETITNET_KERNELS"
if KERNELS not in os.environ:  # processes that run tests in parallel, and what they start, find it there
    os.environ[KERNELS] = tempfile.mkdtemp(prefix="petitnet-kernels-")
    atexit.register(shutil.rmtree, os.environ[KERNELS], ignore_errors=True)
REQUIRED = "PETITNET_REQUIRE_POSTGRES"
"""Set where a missing Postgres server is a failure and not a reason to skip."""


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """What a command run in this process sets for Ray ends with its test: a Ray of its own has a token of its own."""
    with mock.patch.dict(os.environ):
        yield


@pytest.fixture(autouse=True)
def petitnet_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for every test, so that none sees the user's studies."""
    home = tmp_path / "home"
    monkeypatch.setenv("PETITNET_HOME", str(home))
    for variable in ("OPTUNA_STORAGE", "PETITNET_CONFIG", "PETITNET_STORAGE_PASSWORD_FILE", "RAY_ADDRESS", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    return home


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A Postgres server for the whole test run; a test that stops it starts it again."""
    if programs() is None:
        message = "no Postgres server on this machine: install Debian's postgresql, or put initdb on PATH"
        if os.environ.get(REQUIRED):
            pytest.fail(message)
        pytest.skip(message)
    with server() as running:
        yield running


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[URL]:
    """A fresh, empty database."""
    name = f"d{uuid.uuid4().hex}"
    engine = create_engine(postgres.url(), isolation_level="AUTOCOMMIT", pool_pre_ping=True)
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres.url(name)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
