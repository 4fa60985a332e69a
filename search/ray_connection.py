"""The Ray that a command trains on: a cluster that it joins, or one of its own for as long as it runs."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import ray
import torch
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import space
import workers
from search.errors import ClusterError
from search.knock import knock
from search.places import MOST_SHARING, Kind, Places, gpu_share
from search.site import Site

_SCRATCH = "petitnet-"
_LONGEST_TEMPORARY = 18
"""Characters: Ray puts sockets some 85 characters deeper, and their paths are limited to 107 bytes."""
_STORE_BYTES = 256 * 2**20
"""Ray's shared memory, besides what the data set needs."""


def nodes() -> list[dict[str, float]]:
    """The resources of each living node of the cluster that this process is connected to."""
    return [node["Resources"] for node in _living_nodes()]


def _living_nodes() -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]


@contextmanager
def connected(scratch: Path, site: Site) -> Iterator[Places]:
    """A connection to the cluster, or a Ray of our own; where trainings can run in it.

    Workers import from the directory that the driver is in when it connects, before all others: an empty one.
    """
    nowhere = scratch / "empty"
    nowhere.mkdir()
    with chdir(nowhere):
        places = _own(scratch, site) if site.address is None else _joined(site.address, site)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    try:
        yield places
    finally:
        ray.shutdown()


def own_places(site: Site) -> Places:
    """One training a core of this machine; where it has GPUs, as many on each as make the most of it, or as fit."""
    cores = len(os.sched_getaffinity(0))
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    share = site.gpus if gpus else 0.0
    if share is None and site.sharing is not None:
        share = 1 / site.sharing
    if share is None:
        share = gpu_share(torch.cuda.get_device_properties(0).total_memory, site.gpu_bytes, cores / gpus)
    here = {"CPU": float(cores), "GPU": float(gpus)}
    places = Places(cpus=site.cpus, gpus=share, cpu_nodes=site.cpu_nodes)
    return replace(places, most=site.workers or places.capacity([here]).total())


def _own(scratch: Path, site: Site) -> Places:
    """A Ray on the loopback interface, under a token nobody else has, with room for as many as are to run."""
    places = own_places(site)
    assert places.most is not None
    ray.init(
        address="local",
        num_cpus=max(1, ceil(places.most * places.cpus)),
        num_gpus=torch.cuda.device_count() if places.gpus else 0,
        object_store_memory=_STORE_BYTES + 2 * site.shared_bytes,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=str(scratch),
    )
    return places


def _joined(address: str, site: Site) -> Places:
    """Connect to a cluster, which gets the two packages that its workers need and nothing else; ClusterError."""
    knock(address)
    packages = [str(Path(package.__path__[0]).absolute()) for package in (space, workers)]
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"py_modules": packages, "excludes": ["__pycache__"]},
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        lines = str(error).strip().splitlines()
        raise ClusterError(f"Ray cluster {address} cannot be used: {lines[0] if lines else error!r}") from error
    share = _share_on_cluster(site.gpu_bytes) if site.gpus is None else site.gpus
    awaited: Kind = "gpu" if site.gpus else "cpu"
    return Places(cpus=site.cpus, gpus=share, cpu_nodes=site.cpu_nodes, most=site.workers, awaited=awaited)


def _share_on_cluster(needed: int) -> float:
    """By the smallest GPU that is there now."""
    on_nodes = [node for node in _living_nodes() if node["Resources"].get("GPU")]
    shares = [
        gpu_share(memory, needed, node["Resources"].get("CPU", 0.0) / node["Resources"]["GPU"])
        for node, memory in zip(on_nodes, ray.get([_ask_memory(node["NodeID"]) for node in on_nodes]), strict=True)
    ]
    return max(shares, default=1 / MOST_SHARING)


def _ask_memory(node: str) -> Any:
    """A reference to the bytes of a GPU of one node."""

    def memory() -> int:
        return int(torch.cuda.get_device_properties(0).total_memory)

    there = NodeAffinitySchedulingStrategy(node, soft=False)
    return ray.remote(memory).options(num_cpus=0, num_gpus=0.01, scheduling_strategy=there).remote()


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A directory for Ray's and Tune's files, removed afterwards, as are those of runs that were killed."""
    usual = tempfile.gettempdir()
    temporary = usual if len(usual) <= _LONGEST_TEMPORARY else "/tmp"
    for left in Path(temporary).glob(f"{_SCRATCH}*-*"):
        owner = left.name.removeprefix(_SCRATCH).split("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(left, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"{_SCRATCH}{os.getpid()}-", dir=temporary))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
