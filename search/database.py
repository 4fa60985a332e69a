"""The study database as whoever keeps it sees it: made ready, shared with readers, checked."""

from __future__ import annotations

import os
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from pathlib import Path

from optuna.storages import RDBStorage
from sqlalchemy import NullPool, create_engine, inspect, text
from sqlalchemy.engine import URL, Connection

from search import storage
from search.errors import StorageError
from search.findings import Finding
from search.tables import TABLES

CLOCKS_APART = 5.0
"""Seconds between the database's clock and ours that are too many."""
_ROUND_TRIPS = 9


class Schema(StrEnum):
    """How a database's tables compare with those that this Optuna and this petitnet work with."""

    ABSENT = "no tables of studies"
    PARTIAL = "some tables are missing"
    OLDER = "made by an older Optuna"
    NEWER = "made by a newer Optuna"
    CURRENT = "current"


_REMEDIES = {
    Schema.ABSENT: "make them: search db init",
    Schema.PARTIAL: "add them: search db init",
    Schema.OLDER: "stop all searches, make a copy, then: optuna storage upgrade --storage URL",
    Schema.NEWER: "install the Optuna that made it: pip install -U optuna",
    Schema.CURRENT: "",
}


def prepare(url: URL) -> Schema:
    """Make the schema, or what is missing of it; how it was before. StorageError where it cannot be used."""
    before = _schema_before(url)
    if before in (Schema.OLDER, Schema.NEWER):
        raise StorageError(f"storage {storage.masked(url)} was {before}; {_REMEDIES[before]}")
    storage.open_or_create(url).close()
    return before


def _schema_before(url: URL) -> Schema:
    if storage.is_missing_file(url):
        return Schema.ABSENT
    with connected(url) as connection:
        return schema_of(connection)


def check(url: URL) -> Iterator[Finding]:
    """All that is found about a database, in order; StorageError where it cannot be reached. Nothing is created."""
    if storage.is_missing_file(url):
        yield Finding("server", False, f"{storage.masked(url)} is not there", _REMEDIES[Schema.ABSENT])
        return
    with connected(url) as connection:
        yield _server(url, connection)
        readable, writable = _access(url, connection)
        schema = schema_of(connection) if readable else Schema.PARTIAL
        if readable:
            yield _schema_finding(connection, schema)
        yield _access_finding(url, readable, writable)
        yield _latency(connection)
        yield _clock(connection)
        if readable and schema is not Schema.ABSENT and schema is not Schema.PARTIAL:
            studies = connection.execute(text("SELECT count(*) FROM studies")).scalar_one()
            yield Finding("studies", True, str(studies))


@contextmanager
def connected(url: URL) -> Iterator[Connection]:
    """One connection of its own, each statement a transaction; StorageError for whatever goes wrong in it."""
    wait = {"timeout": 10} if url.drivername == "sqlite" else {"connect_timeout": 10}
    options = {name: seconds for name, seconds in wait.items() if name not in url.query}
    engine = create_engine(url, poolclass=NullPool, connect_args=options, isolation_level="AUTOCOMMIT")
    with storage.translated(url), engine.connect() as connection:
        yield connection


def schema_of(connection: Connection) -> Schema:
    """How the tables compare with what is needed here."""
    there = set(inspect(connection).get_table_names())
    needed, head, known = _needed()
    if not there & needed:
        return Schema.ABSENT
    revision = _revision(connection)
    if needed - there or revision is None:
        return Schema.PARTIAL
    if revision == head:
        return Schema.CURRENT
    return Schema.OLDER if revision in known else Schema.NEWER


def _revision(connection: Connection) -> str | None:
    """Of Optuna's tables; None where they do not say."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


@cache
def _needed() -> tuple[frozenset[str], str, frozenset[str]]:
    """Names of all tables; the newest revision that this Optuna knows; all revisions that it knows."""
    scratch = RDBStorage("sqlite://")
    tables = {*inspect(scratch.engine).get_table_names(), *TABLES.tables}
    found = frozenset(tables), scratch.get_head_version(), frozenset(scratch.get_all_versions())
    scratch.engine.dispose()
    return found


def _server(url: URL, connection: Connection) -> Finding:
    where = storage.masked(url)
    if url.drivername != "sqlite":
        version = connection.execute(text("SHOW server_version")).scalar_one()
        return Finding("server", True, f"PostgreSQL {version} at {where}")
    mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
    remedy = "" if mode == "wal" else "it must be wal, so that many can read while one writes: search db init"
    return Finding("server", not remedy, f"SQLite {sqlite3.sqlite_version} at {where}, journal mode {mode}", remedy)


def _schema_finding(connection: Connection, schema: Schema) -> Finding:
    _, head, _ = _needed()
    if schema in (Schema.ABSENT, Schema.PARTIAL):
        return Finding("schema", False, str(schema), _REMEDIES[schema])
    told = head if schema is Schema.CURRENT else f"{_revision(connection)}, where this Optuna needs {head}: {schema}"
    return Finding("schema", schema is Schema.CURRENT, told, _REMEDIES[schema])


_RIGHTS = text(
    """
    SELECT coalesce(bool_and(has_table_privilege(oid, 'SELECT')), true),
           coalesce(bool_and(has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE')
                             AND has_table_privilege(oid, 'DELETE')),
                    has_schema_privilege(current_schema(), 'CREATE'), false)
           AND current_setting('transaction_read_only') = 'off'
    FROM pg_class
    WHERE relname = ANY(:names) AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
    """
)
"""Whether all tables may be read, and whether all may be written to, or made where there are none."""


def _access(url: URL, connection: Connection) -> tuple[bool, bool]:
    """Whether we may read, and whether we may write."""
    if url.drivername == "sqlite":
        file = Path(str(url.database))
        return True, os.access(file, os.W_OK) and os.access(file.absolute().parent, os.W_OK)
    needed, _, _ = _needed()
    readable, writable = connection.execute(_RIGHTS, {"names": list(needed)}).one()
    return bool(readable), bool(writable)


def _access_finding(url: URL, readable: bool, writable: bool) -> Finding:
    if not readable:
        remedy = f"as the owner of the tables: search db init --reader {url.username}"
        return Finding("access", False, f"{url.username} may not read the tables", remedy)
    return Finding("access", True, "read and write" if writable else "read only: enough to look, not to search")


def _latency(connection: Connection) -> Finding:
    """The median of some round trips."""
    seconds = []
    for _ in range(_ROUND_TRIPS):
        begun = time.perf_counter()
        connection.execute(text("SELECT 1")).scalar_one()
        seconds.append(time.perf_counter() - begun)
    return Finding("latency", True, f"{1000 * statistics.median(seconds):.2f} ms a round trip")


def _clock(connection: Connection) -> Finding:
    """The database's clock less ours, read in the middle of a round trip."""
    if connection.dialect.name == "sqlite":
        return Finding("clock", True, "this machine's own")
    before = time.time()
    there = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())::float8")).scalar_one()
    apart = there - (before + time.time()) / 2
    remedy = "" if abs(apart) <= CLOCKS_APART else "set the clocks of both machines, with NTP for one"
    return Finding("clock", not remedy, f"the database's is {apart:+.1f} s from ours", remedy)
