"""`search db`: makes the study database ready, and checks it."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy.engine import URL

from search import database, options, storage
from search.database import Schema
from search.errors import SettingsError
from search.findings import show

_LONGEST = 63
"""Bytes of a role's name: Postgres cuts what is longer."""


@click.group("db")
def db_command() -> None:
    """Look after the study database."""


@db_command.command("init")
@click.option("--reader", metavar="NAME", help="Make a role that may only read, too (Postgres).")
@click.option(
    "--reader-password-file",
    envvar="PETITNET_READER_PASSWORD_FILE",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File with the reader's password.  [default: PETITNET_READER_PASSWORD_FILE]",
)
@options.with_storage
def init_command(reader: str | None, reader_password_file: Path | None, url: URL) -> int:
    """Make the tables that studies need; where they are, nothing is changed."""
    if reader is None:
        _prepare(url)
        return 0
    _check_reader(url, reader)
    password = _password(reader_password_file)
    _prepare(url)
    from search.reader import grant_reader

    is_new, makes_tables = grant_reader(url, reader, password)
    click.echo(f"reader {reader}: {'made' if is_new else 'was there, and has this password now'}; it may only read")
    if makes_tables:
        click.echo(
            f"note: {reader} may make tables of its own, as everybody may in its schema; to end that: "
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            err=True,
        )
    return 0


def _check_reader(url: URL, name: str) -> None:
    """SettingsError unless this database can have a reader of that name."""
    if url.drivername == "sqlite":
        raise SettingsError(
            "--reader needs a Postgres database, for SQLite has no roles, but got " + storage.masked(url)
        )
    if not 0 < len(name.encode()) <= _LONGEST or "\0" in name:
        raise SettingsError(f"a reader's name must have 1 to {_LONGEST} bytes, but got {name!r}")


def _password(file: Path | None) -> str:
    """The password in a file, less newlines at its end; SettingsError where there is none."""
    if file is None:
        raise SettingsError("--reader needs --reader-password-file, or PETITNET_READER_PASSWORD_FILE, but got neither")
    try:
        password = file.read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        raise SettingsError(f"the reader's password file must be readable, but {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"the reader's password file must be UTF-8, but {file} is not") from error
    if not password or "\0" in password:
        raise SettingsError(f"the reader's password must not be empty nor hold a NUL, but in {file} it is or does")
    return password


def _prepare(url: URL) -> None:
    told = {Schema.ABSENT: "made", Schema.PARTIAL: "completed"}
    click.echo(f"schema of {storage.masked(url)}: {told.get(database.prepare(url), 'was there')}")


@db_command.command("check")
@options.with_storage
@options.with_json
def check_command(url: URL, as_json: bool) -> int:
    """Check the study database: version, tables, rights, latency, clock. Nothing is created."""
    return 0 if show(database.check(url), as_json=as_json) else 1
