"""The study database: SQLite in WAL mode in a file, or a Postgres server."""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from sqlalchemy import Engine, Select, create_engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from search import home
from search.bulk_storage import BulkStorage
from search.errors import SettingsError, StorageError
from search.patience import Patience
from search.patient_storage import PatientStorage
from search.pinging import ping_idle
from search.tables import TABLES

PASSWORD_FILE = "PETITNET_STORAGE_PASSWORD_FILE"
"""Environment variable that names a file with the password of the database, where its URL has none."""
_PATIENCE = 60.0
"""Seconds to wait for another process that holds SQLite's write lock."""
_POSTGRES = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Seconds, and probes: how libpq finds out that a server is gone. Its own defaults wait for hours."""

optuna.logging.set_verbosity(logging.ERROR)


@dataclass(frozen=True)
class Store:
    """An open study database."""

    url: URL
    optuna: PatientStorage
    """Optuna's view of it."""
    engine: Engine
    patience: Patience

    @contextmanager
    def exclusively(self, name: str) -> Iterator[None]:
        """Hold `name` against every other process that uses this database; the lock ends with its holder."""
        with _locked(self.url, self.engine, name, self.patience):
            yield

    def read(self, query: Select[Any]) -> Sequence[Any]:
        """The rows of one of our own tables; waits for a database that is away."""
        reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")

        def attempt() -> Sequence[Any]:
            with reader.connect() as connection:
                return connection.execute(query).all()

        return self.patience.run(attempt)

    def write(self, change: Callable[[Connection], None]) -> None:
        """Change our own tables in one transaction; it is done again if the database went away in the middle."""

        def attempt() -> None:
            with self.engine.begin() as connection:
                change(connection)

        self.patience.run(attempt)

    def close(self) -> None:
        """End all connections."""
        self.engine.dispose()


def parse(url: str) -> URL:
    """A database URL with its driver and password; StorageError for anything else. Nothing is opened.

    A password comes from the URL or the file that PETITNET_STORAGE_PASSWORD_FILE names; where neither has one, libpq
    looks into PGPASSFILE by itself.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        shown = url if "@" not in url else f"...@{url.rsplit('@', 1)[1]}"
        raise StorageError(f"storage must be a URL such as sqlite:///studies.db, but got {shown}") from None
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg") or parsed.database in (None, "", ":memory:"):
        raise StorageError(
            "storage must be sqlite:///FILE or postgresql://USER@HOST/DATABASE, but got " + masked(parsed)
        )
    try:
        parsed.get_dialect().import_dbapi()
    except ImportError as error:
        raise StorageError(f"storage {masked(parsed)} needs petitnet[postgres]: {error}") from error
    return parsed if parsed.drivername == "sqlite" else _with_password(parsed)


def _with_password(url: URL) -> URL:
    """The password where it is masked whenever the URL is shown."""
    in_query = url.query.get("password")
    if isinstance(in_query, str):
        url = url.difference_update_query(["password"]).set(password=in_query)
    file = os.environ.get(PASSWORD_FILE)
    if url.password is not None or not file:
        return url
    try:
        return url.set(password=Path(file).read_text().rstrip("\n"))
    except OSError as error:
        raise SettingsError(f"{PASSWORD_FILE} must name a readable file, but {file}: {error.strerror}") from error


def masked(url: URL) -> str:
    """The URL with its password hidden."""
    hidden = {name: "***" for name in url.query if "password" in name}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def is_missing_file(url: URL) -> bool:
    """Whether this is a SQLite database whose file is not there yet."""
    file = _file(url)
    return file is not None and not file.exists()


def open_or_create(url: URL, patience: Patience | None = None) -> Store:
    """Connect, and make the schema where there is none; StorageError where that cannot be."""
    file = _file(url)
    with translated(url):
        if file is not None:
            home.check_writable(file.parent)
            file.parent.mkdir(parents=True, exist_ok=True)
        probe = create_engine(url, **_engine_options(url))
        try:
            with _locked(url, probe, "schema"):
                if file is not None:
                    _write_ahead(file)
                return _store(url, patience, has_tables=_has_tables(probe))
        finally:
            probe.dispose()


def open_existing(url: URL) -> Store | None:
    """Connect to a database that has the tables of studies; None where there is none, and nothing is created."""
    if is_missing_file(url):
        return None
    with translated(url):
        probe = create_engine(url, **_engine_options(url))
        try:
            return _store(url, Patience(0), has_tables=True) if _has_tables(probe) else None
        finally:
            probe.dispose()


def _store(url: URL, patience: Patience | None, *, has_tables: bool) -> Store:
    # RDBStorage passes the URL through str.format, so that braces in a password must be doubled.
    template = url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
    try:
        inner = BulkStorage(template, engine_kwargs=_engine_options(url), skip_table_creation=has_tables)
    except RuntimeError as error:  # the tables are those of another Optuna
        raise StorageError(f"storage {masked(url)} cannot be used: {error}") from error
    if not has_tables:
        TABLES.create_all(inner.engine)
    if url.drivername == "sqlite":
        inner.engine.dispose()
        event.listen(inner.engine, "connect", _relax_sync)
    else:
        ping_idle(inner.engine)
    patience = patience or Patience()
    storage = PatientStorage(inner, patience)  # type: ignore[abstract]  # its methods are made in a loop
    return Store(url, storage, inner.engine, patience)


def _has_tables(engine: Engine) -> bool:
    """Whether Optuna's tables and ours are there: ours are made last."""
    return all(inspect(engine).has_table(table.name) for table in TABLES.sorted_tables)


def _engine_options(url: URL) -> dict[str, Any]:
    if url.drivername == "sqlite":
        return {"connect_args": {"timeout": _PATIENCE}}
    unset = {name: value for name, value in _POSTGRES.items() if name not in url.query}
    return {"connect_args": unset}


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """What a database says in its own words, as StorageError."""
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError, sqlite3.Error, OSError) as error:
        cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) else error
        lines = str(getattr(cause, "orig", None) or cause).strip().splitlines()
        what = lines[0] if lines else type(error).__name__
        raise StorageError(f"storage {masked(url)} cannot be used: {what}") from error


@contextmanager
def _locked(url: URL, engine: Engine, name: str, patience: Patience | None = None) -> Iterator[None]:
    """Hold `name` in this database: a file beside SQLite's, an advisory lock on Postgres."""
    file = _file(url)
    if file is not None:
        with FileLock(f"{file}.lock"):
            yield
        return
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    connection = (patience or Patience(0)).run(lambda: _take_lock(engine, key))
    try:
        yield
    finally:
        try:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
            connection.close()
        except DBAPIError:  # the connection is gone, and with it the lock
            connection.invalidate()


def _take_lock(engine: Engine, key: int) -> Connection:
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
    except DBAPIError:
        connection.invalidate()
        raise
    return connection


def _relax_sync(connection: Any, _record: Any) -> None:
    """In WAL mode a transaction survives the death of the process with NORMAL as well, at a tenth of the time."""
    connection.execute("PRAGMA synchronous=NORMAL")


def _write_ahead(file: Path) -> None:
    connection = sqlite3.connect(file, timeout=_PATIENCE)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _file(url: URL) -> Path | None:
    """The file of a SQLite database; None for a server."""
    return Path(str(url.database)).absolute() if url.drivername == "sqlite" else None
