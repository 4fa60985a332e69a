"""What this machine has for a search, and what it lacks."""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from sqlalchemy.engine import URL

from search import database, home, storage
from search.cluster_check import FREE_AT_LEAST, gibibytes
from search.errors import SearchError
from search.findings import Finding
from search.node_probe import gpus, one_line
from search.shadowing import check_names


def check_machine(url: URL, versions: dict[str, str | None]) -> Iterator[Finding]:
    """All findings about this machine, whose `versions` are known by name, and about the database."""
    yield from _versions(versions)
    yield _torchvision()
    yield _gpus(gpus())
    yield _directory("home", home.home())
    yield _directory("temporary", Path(tempfile.gettempdir()))
    yield from _database(url)
    yield from check_names()
    yield from _data_sets(home.data_directory())


def _versions(versions: dict[str, str | None]) -> Iterator[Finding]:
    """Each version, held against what petitnet's own metadata ask for."""
    ours = metadata.distribution("petitnet")
    needed = {"Python": SpecifierSet(ours.metadata["Requires-Python"])}
    for line in ours.requires or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needed[requirement.name] = requirement.specifier
    for name, version in versions.items():
        yield version_finding(name, version, needed.get(name, SpecifierSet()))


def version_finding(name: str, version: str | None, needed: SpecifierSet) -> Finding:
    """One version, judged."""
    if version is None:
        return Finding(name, False, "not installed", f"pip install '{name}{needed}'")
    if not needed.contains(version, prereleases=True):
        return Finding(name, False, version, f"petitnet needs {name}{needed}")
    return Finding(name, True, version)


def _torchvision() -> Finding:
    """torchvision's compiled part fits one build of torch alone; whether it does shows when both are imported."""
    name = "torchvision's fit"
    try:
        torch = importlib.import_module("torch")
        importlib.import_module("torchvision")
    except Exception as error:
        remedy = "install torch and torchvision together, from the same index, both for CUDA or both for CPU"
        return Finding(name, False, f"{type(error).__name__}: {one_line(error)}", remedy)
    return Finding(name, True, f"imports beside torch {torch.__version__}")


def _gpus(by_driver: list[str]) -> Finding:
    """The driver's GPUs, held against those that torch can use."""
    try:
        by_torch, why = _gpus_of_torch()
    except Exception as error:
        return Finding("GPUs", False, one_line(error), "torch must import; see above")
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if by_torch:
        count = "" if len(by_torch) == len(by_driver) else f" (torch uses {len(by_torch)})"
        return Finding("GPUs", True, ", ".join(by_driver or by_torch) + count)
    if by_driver and hidden is None:
        remedy = f"install a build of torch for CUDA that this driver can run{f' ({why})' if why else ''}"
        return Finding("GPUs", False, f"{', '.join(by_driver)}, but torch can use none", remedy)
    text = f"hidden by CUDA_VISIBLE_DEVICES={hidden}" if by_driver else "none; trainings use the processor"
    return Finding("GPUs", True, text)


def _gpus_of_torch() -> tuple[list[str], str]:
    """Names of the GPUs that torch can use, and what it complains of."""
    torch: Any = importlib.import_module("torch")
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        names = [torch.cuda.get_device_name(index) for index in range(count)]
    return names, " ".join(str(complaints[0].message).split()) if complaints else ""


def _directory(name: str, directory: Path) -> Finding:
    """Whether a directory, or what it will be made in, can be written to and has room."""
    try:
        home.check_writable(directory)
    except SearchError as error:
        return Finding(name, False, str(error), "set PETITNET_HOME" if name == "home" else "set TMPDIR")
    present = next(place for place in (directory, *directory.parents) if place.exists())
    free = shutil.disk_usage(present).free
    remedy = "" if free >= FREE_AT_LEAST else f"make room: {gibibytes(FREE_AT_LEAST)} at least"
    return Finding(name, not remedy, f"{directory}, {gibibytes(free)} free", remedy)


def _database(url: URL) -> Iterator[Finding]:
    """The database's own findings; a file that is not there yet will be made by the first search."""
    if storage.is_missing_file(url):
        try:
            home.check_writable(Path(str(url.database)).absolute().parent)
        except SearchError as error:
            yield Finding("database", False, str(error), "name another with --storage or OPTUNA_STORAGE")
        else:
            yield Finding("database", True, f"{storage.masked(url)} is not there yet; the first search makes it")
        return
    try:
        for found in database.check(url):
            yield Finding(f"database {found.name}", found.ok, found.text, found.remedy)
    except SearchError as error:
        yield Finding("database", False, str(error), "start it, or name another with --storage or OPTUNA_STORAGE")


def _data_sets(directory: Path) -> Iterator[Finding]:
    """The stored data sets, each read and held against its sums; test images stay closed."""
    from workers import sources
    from workers.dataset import DataError

    stored = [name for name in sources.SOURCES if (directory / name).exists()]
    if not stored:
        yield Finding("data sets", True, f"none in {directory} yet; a search fetches what it needs")
    for name in stored:
        try:
            images = len(sources.load(name, directory).images)
        except (DataError, OSError) as error:
            yield Finding(f"data set {name}", False, str(error))
        else:
            yield Finding(f"data set {name}", True, f"{images:,} images in {directory / name}")
