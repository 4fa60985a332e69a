"""Where petitnet keeps what lasts: studies, data sets, measurements, locks."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

from search.errors import SettingsError


def home() -> Path:
    """`PETITNET_HOME`, or the user's data directory of this system."""
    chosen = os.environ.get("PETITNET_HOME")
    return Path(chosen).expanduser().absolute() if chosen else user_data_path("petitnet")


def data_directory() -> Path:
    """Where data sets are stored."""
    return home() / "data"


def numerics_file() -> Path:
    """Where the measurement of this machine is remembered."""
    return home() / "numerics.json"


def sharing_file() -> Path:
    """Where it is remembered how trainings share this machine's GPU."""
    return home() / "sharing.json"


def default_storage() -> str:
    """The URL of the study database that is used unless another is named."""
    return f"sqlite:///{home() / 'studies.db'}"


def check_writable(directory: Path) -> None:
    """SettingsError unless `directory`, or the nearest parent that exists, can be written to; nothing is created."""
    present = directory
    while not present.exists() and present != present.parent:
        present = present.parent
    if not present.is_dir():
        raise SettingsError(f"{directory} must be a directory, but {present} is a file")
    if not os.access(present, os.W_OK | os.X_OK):
        raise SettingsError(f"{directory} must be in a directory that can be written to, but {present} cannot")
