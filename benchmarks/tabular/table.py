"""The table: networks of our space for 16x16 images, with what two trainings came to at each rung."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from search.settings import StudySettings
from space.architecture import Architecture
from space.notation import read
from space.search_space import SearchSpace

DATASET = "mnist-16"
RUNGS = (1, 4, 16)
"""Epochs."""
SEEDS = 2
"""Trainings of a network at each rung."""
IMAGES = 5_000
"""Validation images."""
FILE = Path(__file__).with_name("table.csv.gz")


@cache
def space() -> SearchSpace:
    """Whose networks they are."""
    return StudySettings.make(DATASET, 10_000, 1.0).space


@dataclass(frozen=True)
class Table:
    """Networks, and the validation images that each training got wrong."""

    architectures: tuple[Architecture, ...]
    parameters: NDArray[np.int64]
    """(networks,)."""
    wrong: NDArray[np.int64]
    """(networks, rungs, seeds), of IMAGES."""
    is_random: NDArray[np.bool_]
    """(networks,): drawn at random, and not near a good one."""

    def __len__(self) -> int:
        return len(self.architectures)


@cache
def load() -> Table:
    """The table that is committed."""
    rows = pd.read_csv(FILE)
    wrong = np.stack([[rows[_column(epochs, seed)] for seed in range(SEEDS)] for epochs in RUNGS])
    return Table(
        architectures=tuple(map(read, rows["architecture"])),
        parameters=rows["parameters"].to_numpy(),
        wrong=wrong.transpose(2, 0, 1),
        is_random=(rows["origin"] == "random").to_numpy(),
    )


def pack(rows: Iterable[Mapping[str, Any]]) -> None:
    """Write what build.py has trained, sorted, so that equal rows make an equal file."""
    flat = [
        {"architecture": row["line"], "parameters": row["parameters"], "origin": row["origin"]}
        | {_column(epochs, seed): row["wrong"][str(epochs)][seed] for epochs in RUNGS for seed in range(SEEDS)}
        for row in rows
    ]
    table = pd.DataFrame(flat).sort_values(["parameters", "architecture"])
    table.to_csv(FILE, index=False, compression={"method": "gzip", "mtime": 0})


def _column(epochs: int, seed: int) -> str:
    return f"wrong after {epochs}, seed {seed}"
