"""The study database: SQLite in WAL mode in a file, or any other that SQLAlchemy reaches."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from filelock import FileLock, Timeout
from optuna.storages import RDBStorage
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from search import home
from search.errors import SearchError, StorageError

_PATIENCE = 60.0
"""Seconds to wait for another process that holds SQLite's write lock."""

optuna.logging.set_verbosity(logging.ERROR)


def parse(url: str) -> URL:
    """A database URL with its driver; StorageError for anything else. Nothing is opened."""
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        parsed.get_dialect().import_dbapi()
    except ArgumentError:
        shown = url if "@" not in url else f"...@{url.rsplit('@', 1)[1]}"
        raise StorageError(f"storage must be a URL such as sqlite:///studies.db, but got {shown}") from None
    except (SQLAlchemyError, ImportError) as error:
        raise StorageError(f"storage {masked(parsed)} needs a database driver that is not there: {error}") from error
    return parsed


def masked(url: URL) -> str:
    """The URL with its password hidden."""
    return url.render_as_string(hide_password=True)


def exists(url: URL) -> bool:
    """Whether there may be studies: False only where the SQLite file is not there."""
    file = _file(url)
    return file is None or file.exists()


def open_storage(url: URL) -> RDBStorage:
    """Connect, and make the schema where there is none; StorageError where that cannot be."""
    file = _file(url)
    try:
        with translated(url):
            if file is None:
                return _connect(url, engine_options={"pool_pre_ping": True})
            home.check_writable(file.parent)
            file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{file}.lock"):
                _write_ahead(file)
                return _connect(url, engine_options={"connect_args": {"timeout": _PATIENCE}})
    except (sqlite3.Error, OSError) as error:
        raise _storage_error(url, error) from error


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """What a database says in its own words, as StorageError."""
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) else error
        raise _storage_error(url, cause or error) from error


def _storage_error(url: URL, error: BaseException) -> StorageError:
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return StorageError(f"storage {masked(url)} cannot be used: {lines[0] if lines else type(error).__name__}")


def _connect(url: URL, engine_options: dict[str, Any]) -> RDBStorage:
    # RDBStorage passes the URL through str.format, so that braces in a password must be doubled.
    text = url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
    storage = RDBStorage(text, engine_kwargs=engine_options)
    if url.get_backend_name() == "sqlite":
        storage.engine.dispose()
        sqlalchemy.event.listen(storage.engine, "connect", _relax_sync)
    return storage


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
    """The file of a SQLite database; None for a server or a database in memory."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database)).absolute()


@contextmanager
def only_driver(url: URL, study: str) -> Iterator[None]:
    """Hold a study for this process; SearchError if another process on this machine holds it.

    The lock is the operating system's, so it ends with the process, however that dies.
    """
    key = hashlib.sha256(f"{masked(url)} {study}".encode()).hexdigest()[:16]
    directory = home.home() / "locks"
    directory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(directory / f"{key}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise SearchError(
            f"study {study} is being searched by another process; follow it with: search status {study}"
        ) from None
    try:
        yield
    finally:
        lock.release()
