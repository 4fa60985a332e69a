"""What the results of a study depend on besides its settings: the images above all, then versions and machines."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

from search import home
from search.errors import SettingsError
from search.ledger import Ledger
from workers import sources
from workers.dataset import DataSet

_PACKAGES = ("petitnet", "torch", "optuna", "ray", "numpy")


def check_images(study: str, conditions: dict[str, Any], data: DataSet) -> None:
    """SettingsError if the images are not those that a study was begun on."""
    before = conditions.get("data_sha256", data.checksum)
    if before != data.checksum:
        raise SettingsError(
            f"study {study} was begun on {data.name} with SHA-256 {before}, but the data have {data.checksum}"
        )


def training_images(ledger: Ledger) -> DataSet:
    """Those that the study was made on; SettingsError if there are others now."""
    data = sources.load(ledger.settings["dataset"], home.data_directory())
    check_images(ledger.name, ledger.conditions, data)
    return data


def record(ledger: Ledger, data: DataSet, more: dict[str, Any]) -> None:
    """Write down what a run depends on; SettingsError if the images are not those of before."""
    check_images(ledger.name, ledger.conditions, data)
    ledger.record_conditions(
        {
            "data_sha256": data.checksum,
            "python": platform.python_version(),
            "machine": platform.platform(),
            **{package: version(package) for package in _PACKAGES},
            **more,
        }
    )
