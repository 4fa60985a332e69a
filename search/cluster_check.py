"""What a Ray cluster's nodes have, held against this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from search.errors import ClusterError
from search.findings import Finding
from search.knock import knock

FREE_AT_LEAST = 2**30
"""Bytes of a disk that Ray, data sets and studies can do with."""
LONGEST = 75.0
"""Seconds for all of it: joining, 30 s for the nodes to answer, leaving."""
_SAME = "Python", "ray", "torch", "numpy", "petitnet"
"""What must be of the same version everywhere; a run brings petitnet to nodes that have none."""


def check_cluster(address: str, here: dict[str, str | None]) -> Iterator[Finding]:
    """One finding a node, its versions held against those `here`; ClusterError where the cluster cannot be joined."""
    knock(address)
    for told in _probe(address):
        yield node_finding(told, here)


def _probe(address: str) -> list[dict[str, Any]]:
    """What the nodes say, from a process that is ended if it takes too long."""
    with tempfile.TemporaryDirectory() as nowhere:  # Ray's workers import from the directory that a driver was in
        told, complaints = _run(address, nowhere)
    if "error" in told:
        reason = _TOKEN if "InvalidAuthToken" in complaints else told["error"]
        raise ClusterError(f"Ray cluster {address} cannot be joined: {reason}")
    nodes: list[dict[str, Any]] = told["nodes"]
    return nodes


_TOKEN = "it wants its token: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH to a file with it"


def _run(address: str, directory: str) -> tuple[dict[str, Any], str]:
    """What search.node_probe prints, or the error in its place, and what Ray complains of meanwhile."""
    command = [sys.executable, "-P", "-W", "ignore", "-m", "search.node_probe", address]
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0"}
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=LONGEST, cwd=directory, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        return {"error": f"no answer within {LONGEST:.0f} s"}, (error.stderr or b"").decode(errors="replace")
    complaints = done.stderr.decode(errors="replace")
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        last = (complaints.strip().splitlines() or [""])[-1]
        return {"error": f"Ray ended with code {done.returncode} {last}".strip()}, complaints
    told: dict[str, Any] = json.loads(lines[-1])
    return told, complaints


def node_finding(told: dict[str, Any], here: dict[str, str | None]) -> Finding:
    """One node's answer, judged."""
    name = f"node {told['node']}"
    if "error" in told:
        return Finding(name, False, told["error"], "look at this node's Ray: ray status, ray logs")
    says = told["says"]
    versions: dict[str, str | None] = says["versions"]
    wrong = [*_differences(versions, here), *_shortages(says["free"])]
    shown = ", ".join(f"{package} {versions[package] or '-'}" for package in _SAME)
    text = f"{shown}; {_gpus(says['gpus'], told['gpus_of_ray'])}; {gibibytes(says['free'])} free"
    return Finding(name, not wrong, text, "; ".join(wrong))


def _differences(versions: dict[str, str | None], here: dict[str, str | None]) -> list[str]:
    found = []
    for package in _SAME:
        there, ours = versions[package], here[package]
        if there is None and package != "petitnet":
            found.append(f"install {package} {ours} there")
        elif there not in (ours, None):
            found.append(f"{package} must be {ours} as here, or else {there} here")
    return found


def _shortages(free: int) -> list[str]:
    return [] if free >= FREE_AT_LEAST else [f"make room in its temporary directory: {gibibytes(FREE_AT_LEAST)}"]


def _gpus(seen: list[str], counted: int) -> str:
    """What the driver sees, and what Ray gives out where that is another number."""
    text = ", ".join(seen) or "no GPU"
    return text if counted == len(seen) else f"{text} (Ray counts {counted})"


def gibibytes(count: int) -> str:
    """`12.3 GiB`."""
    return f"{count / 2**30:.1f} GiB"
