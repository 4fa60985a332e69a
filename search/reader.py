"""A Postgres role that may only look at the studies: for dashboards, and for people."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.sql import SQL, Composable, Identifier, Literal
from sqlalchemy import text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ProgrammingError

from search import storage
from search.errors import SettingsError, StorageError


def grant_reader(url: URL, name: str, password: str) -> tuple[bool, bool]:
    """Make or renew a role that may only SELECT, in one transaction: all of it or nothing.

    Gives back whether the role is new, and whether it may make tables because everybody may (as up to Postgres 14).
    SettingsError if the role could still write, StorageError where the user of `url` may not do this.
    """
    assert url.drivername != "sqlite"
    store = storage.open_or_create(url)
    try:
        with storage.translated(url), store.exclusively("reader"), store.engine.begin() as connection:
            return _grant(connection, name, password)
    except StorageError as error:
        raise _explained(url, name, error) from error
    finally:
        store.close()


def _explained(url: URL, name: str, error: StorageError) -> StorageError:
    """What a refused right means here."""
    cause = error.__cause__
    if not (isinstance(cause, ProgrammingError) and isinstance(cause.orig, psycopg.errors.InsufficientPrivilege)):
        return error
    what = str(cause.orig).splitlines()[0]
    return StorageError(
        f"to make the reader {name}, the user of {storage.masked(url)} must be the owner of the tables and have "
        f"CREATEROLE, but: {what}"
    )


def _grant(connection: Connection, name: str, password: str) -> tuple[bool, bool]:
    is_new = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).first() is None
    database, schema = connection.execute(text("SELECT current_database(), current_schema()")).one()
    role, schema, database = Identifier(name), Identifier(schema), Identifier(database)
    secret = Literal(_scrambled(connection, name, password))
    for statement in (
        SQL("{} ROLE {} LOGIN PASSWORD {}").format(SQL("CREATE" if is_new else "ALTER"), role, secret),
        SQL("ALTER ROLE {} IN DATABASE {} SET default_transaction_read_only = on").format(role, database),
        SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role),
        SQL("REVOKE CREATE ON SCHEMA {} FROM {}").format(schema, role),
        SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role),
        SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(schema, role),
        SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(schema, role),
        SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA {} GRANT SELECT ON TABLES TO {}").format(schema, role),
    ):
        _execute(connection, statement)
    return is_new, _only_reads(connection, name)


def _raw(connection: Connection) -> psycopg.Connection[Any]:
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def _execute(connection: Connection, statement: Composable) -> None:
    """Through SQLAlchemy, so that what goes wrong is translated; a % in it is no placeholder."""
    sql = statement.as_string(_raw(connection))
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def _scrambled(connection: Connection, name: str, password: str) -> str:
    """The SCRAM verifier that a server keeps: the password itself never gets into its log."""
    pgconn = _raw(connection).pgconn
    return pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()


_RIGHTS = text(
    """
    SELECT coalesce(bool_and(has_table_privilege(:role, oid, 'SELECT')), true) AS reads,
           coalesce(bool_or(has_table_privilege(:role, oid, 'INSERT, UPDATE, DELETE, TRUNCATE')), false) AS writes,
           has_schema_privilege(:role, current_schema(), 'CREATE') AS makes
    FROM pg_class
    WHERE relkind IN ('r', 'p')
          AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
    """
)


def _only_reads(connection: Connection, name: str) -> bool:
    """Whether the role may make tables; SettingsError if it may write to those there are, or not read them."""
    rights = connection.execute(_RIGHTS, {"role": name}).one()
    if rights.writes:
        raise SettingsError(
            f"a reader must be a role that cannot write, but {name} can: it owns the tables, is a superuser or has "
            "its rights from another role; take another name"
        )
    if not rights.reads:
        raise StorageError(f"{name} must be given SELECT by the owner of every table, but some are another's")
    return bool(rights.makes)
