"""What several benchmarks need: MNIST's images, and results kept line by line, to go on where they stopped."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from search import home
from workers import sources
from workers.numerics import device, fastest
from workers.process import prepare
from workers.training import Batches, batches


def json_lines(file: Path) -> list[Any]:
    """What each line of a file says; nothing of one that is not there yet."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@cache
def mnist(fold: int) -> Batches:
    """As a worker has them, with one fold held out."""
    prepare()
    return batches(sources.load("mnist", home.data_directory()), fold, fastest(home.numerics_file()), device())
