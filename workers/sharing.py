"""How many trainings at once make the most of a GPU: measured once for a kind of GPU, and remembered.

Without MPS the processes that share a GPU take turns on it, with MPS their kernels run side by side; what either is
worth depends on the GPU, the driver and the cores that launch the kernels.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch

from workers.numerics import Numerics
from workers.practice import Practice
from workers.remembered import recall, remember

_SECONDS = 1.0
"""That each number of trainings is given."""
_ENOUGH = 0.95
"""Of the most images a second: fewer trainings at once take less memory, and each ends sooner."""


def most_productive(cache: Path, key: str, ceiling: int, numerics: Numerics) -> int | None:
    """How many trainings at once, up to `ceiling`, on this machine's GPU; None if that cannot be measured.

    `key` names the GPU in the file `cache`. A measurement lasts as long as that many processes take to start, and a
    second for each number that is tried.
    """
    asked = ladder(ceiling)
    rates = _known(recall(cache).get(key))
    if any(count not in rates for count in asked):
        try:
            with Practice(max(asked), numerics) as practice:
                rates = {count: practice.images_a_second(count, _SECONDS) for count in asked}
        except (OSError, EOFError):
            return None
        remember(cache, key, rates)
    return best({count: rates[count] for count in asked})


def ladder(ceiling: int) -> list[int]:
    """1, 2, 4 and so on, up to `ceiling`, which is at least 1."""
    return [1 << step for step in range(ceiling.bit_length())]


def best(rates: Mapping[int, float]) -> int:
    """The smallest number of trainings at once whose images a second are hardly fewer than the most."""
    enough = _ENOUGH * max(rates.values())
    return min(count for count, rate in rates.items() if rate >= enough)


def gpu_key() -> str:
    """What a measurement of this machine's GPU holds for: its kind, torch's version, and whether MPS runs."""
    pipes = Path(os.environ.get("CUDA_MPS_PIPE_DIRECTORY", "/tmp/nvidia-mps"))
    shared = ", MPS" if (pipes / "control").exists() else ""
    return f"{torch.cuda.get_device_name()}, torch {torch.__version__}{shared}"


def _known(found: object) -> dict[int, float]:
    """Images a second by the number of trainings; nothing, if what was found is damaged."""
    if not isinstance(found, dict):
        return {}
    try:
        return {int(count): float(rate) for count, rate in found.items()}
    except (TypeError, ValueError):
        return {}
