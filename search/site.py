"""Which Ray a command uses, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where trainings are to run, as the user wishes, and what each takes up there."""

    address: str | None = None
    """Of an existing cluster; None for a Ray of our own on this machine."""
    workers: int | None = None
    """Trainings at once; None to use whatever there is."""
    cpus: float = 1.0
    """Cores of each training."""
    gpus: float | None = None
    """GPUs of each training where there are any; None to share each as is best, as far as its memory goes."""
    cpu_nodes: bool = False
    """Whether cores without a GPU train as well where there are GPUs."""
    gpu_bytes: int = 0
    """Memory that one training takes of a GPU."""
    sharing: int | None = None
    """Trainings at once that make the most of one GPU, all of which it has memory for; None if that is not known."""
    shared_bytes: int = 0
    """Memory that what workers share takes on each node."""
