"""Joins a Ray cluster as a process of its own and prints, as JSON, what each node says of itself.

A process of its own, because joining can hang for minutes where a port is open but Ray does not answer. It is run as
__main__ and imports nothing of petitnet's, so that `describe` travels to the nodes by value and runs where petitnet is
not installed.
"""

from __future__ import annotations

import json
import logging
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from typing import Any

PACKAGES = "petitnet", "torch", "torchvision", "optuna", "ray", "numpy"
"""Whose versions are told."""
_PATIENCE = 30.0
"""Seconds that a node has for its answer."""


def describe() -> dict[str, Any]:
    """Versions by name (None where a package is missing), GPUs, and free bytes for temporary files of this machine."""
    versions: dict[str, str | None] = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return {"versions": versions, "gpus": gpus(), "free": shutil.disk_usage(tempfile.gettempdir()).free}


def gpus() -> list[str]:
    """Name, memory and driver of each GPU, as NVIDIA's driver tells them; empty where there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[cell.strip() for cell in line.split(",")] for line in told.splitlines()]
    return [f"{row[0]} ({row[1]}, driver {row[2]})" for row in rows if len(row) == 3]


def ask_nodes(ray: Any) -> list[dict[str, Any]]:
    """Each living node's name, its GPUs as Ray counts them, and its `describe`, or the error that came instead."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(num_cpus=0, max_retries=0)(describe)
    asked = {}
    for node in ray.nodes():
        if node["Alive"]:
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            asked[task.options(scheduling_strategy=there).remote()] = node
    answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_PATIENCE)
    return [_answer(ray, reference, node, reference in answered) for reference, node in asked.items()]


def _answer(ray: Any, reference: Any, node: dict[str, Any], answered: bool) -> dict[str, Any]:
    name = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
    told: dict[str, Any] = {"node": name, "gpus_of_ray": int(node["Resources"].get("GPU", 0))}
    if not answered:
        return told | {"error": f"no answer within {_PATIENCE:.0f} s"}
    try:
        return told | {"says": ray.get(reference)}
    except Exception as error:
        return told | {"error": one_line(error)}


def one_line(error: BaseException) -> str:
    """An error's message with its lines joined."""
    return " ".join(str(error).split()) or type(error).__name__


def main(address: str) -> dict[str, Any]:
    """What the nodes say, or the error that came instead."""
    import ray

    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        return {"nodes": ask_nodes(ray)}
    except Exception as error:
        return {"error": one_line(error)}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])), flush=True)
