"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
from rich.console import Console
from sqlalchemy.engine import URL

from search import home, storage
from search.errors import NotFoundError, SettingsError
from search.settings import parse_budget, parse_seconds, parse_target
from search.storage import Store

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class _Parsed(click.ParamType[Any]):
    """A value read by one of our own functions, whose message is shown as it is."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._parse(str(value))


BUDGET = _Parsed("parameters", parse_budget)
TARGET = _Parsed("fraction", parse_target)
SECONDS = _Parsed("time", parse_seconds)


def with_storage(command: Decorated) -> Decorated:
    """`--storage URL`, handed to the command as a parsed URL."""

    def parsed(_context: click.Context, _parameter: click.Parameter, value: str | None) -> URL:
        return storage.parse(value or home.default_storage())

    return click.option(
        "--storage",
        "url",
        envvar="OPTUNA_STORAGE",
        callback=parsed,
        metavar="URL",
        help="Study database.  [default: SQLite in the user's data directory]",
    )(command)


def ray_address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """The address of a Ray cluster that a driver can join; SettingsError for those it cannot."""
    if value in (None, "", "local"):
        return None
    if value is not None and "://" in value:
        raise SettingsError(
            f"address must be that of a cluster's head, such as head:6379 or auto, but got {value}; "
            "from outside a cluster use: search submit"
        )
    return value


def with_json(command: Decorated) -> Decorated:
    """`--json`, handed to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")(command)


def print_json(value: Any) -> None:
    """JSON on stdout."""
    click.echo(json.dumps(value, indent=2))


def output() -> Console:
    """Where data go; as wide as they need where nobody watches, so that no cell is cut."""
    return Console(width=None if sys.stdout.isatty() else 200, no_color=_no_color(), highlight=False)


def progress() -> Console:
    """Where progress goes."""
    return Console(stderr=True, no_color=_no_color(), highlight=False)


def _no_color() -> bool | None:
    return True if os.environ.get("NO_COLOR") else None


@contextmanager
def reading(url: URL) -> Iterator[Store]:
    """An existing database; NotFoundError where there is none, and nothing is created."""
    store = storage.open_existing(url)
    if store is None:
        raise NotFoundError(f"there is no study database at {storage.masked(url)} yet; begin with: search run")
    try:
        with storage.translated(url):
            yield store
    finally:
        store.close()
