"""Defaults from a TOML file: one table a command, such as [run] or [db.init], its options by name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click

from search.errors import SettingsError

_USUAL = Path("petitnet.toml")


def defaults(named: str | None, group: click.Group) -> dict[str, dict[str, Any]]:
    """Click's default map from the file `named`, or from petitnet.toml where there is one.

    SettingsError for a file that cannot be read and for tables and options that no command has.
    """
    file = Path(named) if named else _USUAL
    if not named and not file.exists():
        return {}
    try:
        tables = tomllib.loads(file.read_text())
    except OSError as error:
        raise SettingsError(f"configuration {file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"configuration {file} is not TOML: {error}") from error
    return {name: _options(file, name, table, group) for name, table in tables.items()}


def _options(file: Path, name: str, table: Any, group: click.Group) -> dict[str, Any]:
    command = group.commands.get(name)
    if isinstance(command, click.Group) and isinstance(table, dict):
        return {inner: _options(file, inner, of_inner, command) for inner, of_inner in table.items()}
    if command is None or not isinstance(table, dict):
        raise SettingsError(f"{file}: tables must be commands ({', '.join(group.commands)}), but got {name}")
    known = {parameter.name for parameter in command.params if isinstance(parameter, click.Option)}
    found = {option.replace("-", "_"): value for option, value in table.items()}
    unknown = sorted(found.keys() - known)
    if unknown:
        options = ", ".join(sorted(str(option).replace("_", "-") for option in known))
        raise SettingsError(f"{file}: options of {name} must be among {options}, but got {', '.join(unknown)}")
    return found
