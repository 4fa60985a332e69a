"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

import click
from rich.console import Console
from sqlalchemy.engine import URL

from search import home, storage
from search.errors import NotFoundError, SettingsError
from search.patience import Patience
from search.settings import DATASET, parse_budget, parse_budgets, parse_rungs, parse_seconds, parse_target
from search.site import Site
from search.storage import Store
from workers import sources

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class _Parsed(click.ParamType[Any]):
    """A value read by one of our own functions, whose message is shown as it is."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._parse(str(value))


BUDGET = _Parsed("parameters", parse_budget)
BUDGETS = _Parsed("parameters", parse_budgets)
RUNGS = _Parsed("epochs", parse_rungs)
TARGET = _Parsed("fraction", parse_target)
SECONDS = _Parsed("time", parse_seconds)


def with_dataset(command: Decorated) -> Decorated:
    """`--dataset NAME`, as it was given."""
    return click.option("--dataset", default=DATASET, help=f"One of {', '.join(sources.SOURCES)}.")(command)


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


def with_storage_timeout(command: Decorated) -> Decorated:
    """`--storage-timeout`, handed to the command as seconds."""
    return click.option("--storage-timeout", type=SECONDS, default="5m", help="How long the database may be away.")(
        command
    )


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


def with_site(command: Decorated) -> Decorated:
    """The options that say where trainings run, handed to the command as `site`, a Site."""

    @wraps(command)
    def gathered(*arguments: Any, **named: Any) -> Any:
        wishes = {name: named.pop(name) for name in ("address", "workers", "cpus", "gpus", "cpu_nodes")}
        return command(*arguments, site=Site(**wishes), **named)

    for option in (
        click.option("--cpu-nodes", is_flag=True, help="Where there are GPUs, train on the other cores as well."),
        click.option(
            "--gpus-per-trial",
            "gpus",
            type=click.FloatRange(0),
            help="GPUs of a training; a fraction shares one, 0 leaves them alone.  [default: as measured]",
        ),
        click.option(
            "--cpus-per-trial",
            "cpus",
            type=click.FloatRange(0, min_open=True),
            default=1.0,
            help="Cores of a training.",
        ),
        click.option(
            "--address",
            envvar="RAY_ADDRESS",
            callback=ray_address,
            help="Of a Ray cluster, such as head:6379 or auto.  [default: a Ray of its own on this machine]",
        ),
        click.option("--workers", type=click.IntRange(1), help="Trainings at once.  [default: one a core, or 8 a GPU]"),
    ):
        gathered = option(gathered)
    return cast(Decorated, gathered)


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


def say(line: str) -> None:
    """Progress, line by line."""
    click.echo(line, err=True)


@contextmanager
def writing(url: URL, patience: float) -> Iterator[Store]:
    """As `reading`, for a command that trains: an outage may last `patience` seconds."""
    with reading(url):
        store = storage.open_or_create(url, Patience(patience))
    store.patience.tell = lambda line: say(line or "the study database is back")
    try:
        with storage.translated(url):
            yield store
    finally:
        store.close()


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
