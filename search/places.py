"""Where trainings can run: how many at once on which nodes, from what Ray says of them. Knows nothing of Ray itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["gpu", "cpu"]

MOST_SHARING = 8
"""Trainings that share one GPU by default, at most."""
_ROOM = 0.9
"""Of a GPU's memory."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """What each training takes up, and which nodes may be used."""

    cpus: float = 1.0
    """Cores of each training."""
    gpus: float = 0.0
    """GPUs of each training on nodes that have them; a fraction shares one. 0 leaves GPUs alone."""
    cpu_nodes: bool = False
    """Whether cores without a GPU train as well where there are GPUs."""
    most: int | None = None
    """Trainings at once in all; None to use whatever there is."""
    awaited: Kind = "cpu"
    """What a training waits for while no node can take one."""

    def resources(self, kind: Kind) -> dict[str, float]:
        """What one training asks of Ray."""
        return {"CPU": self.cpus, "GPU": self.gpus} if kind == "gpu" else {"CPU": self.cpus}

    def capacity(self, nodes: Sequence[Mapping[str, float]]) -> Counter[Kind]:
        """Trainings at once of each kind on nodes with these resources, GPUs first; at least one."""
        on_gpus = [self._on_gpus(node) for node in nodes]
        found: Counter[Kind] = Counter({"gpu": sum(on_gpus)})
        if found["gpu"] == 0 or self.cpu_nodes:
            left = (node.get("CPU", 0.0) - count * self.cpus for node, count in zip(nodes, on_gpus, strict=True))
            found["cpu"] = sum(int((cores + 1e-9) // self.cpus) for cores in left)
        if found.total() == 0:
            found[self.awaited] = 1
        if self.most is not None:
            found["gpu"] = min(found["gpu"], self.most)
            found["cpu"] = min(found["cpu"], self.most - found["gpu"])
        return found

    def _on_gpus(self, node: Mapping[str, float]) -> int:
        if self.gpus == 0:
            return 0
        gpus = node.get("GPU", 0.0)
        if self.gpus < 1:  # a training that shares a GPU is on one of them
            by_gpu = int(gpus + 1e-9) * int((1 + 1e-9) // self.gpus)
        else:
            by_gpu = int((gpus + 1e-9) // self.gpus)
        return min(by_gpu, int((node.get("CPU", 0.0) + 1e-9) // self.cpus))


def gpu_share(memory: int, needed: int, cores_per_gpu: float) -> float:
    """The share of a GPU with `memory` bytes that one training of `needed` bytes gets: as many as fit, at most
    MOST_SHARING, and no more than there are cores to drive them."""
    fitting = int(_ROOM * memory // max(1, needed))
    return 1 / max(1, min(MOST_SHARING, fitting, int(cores_per_gpu)))
