"""How fast networks train in one process of several, on random images.

Run as a process of its own it reads what to time from stdin, says on stdout when it is ready, waits for a line as the
signal to begin, and prints what it found.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import torch

from space.architecture import Architecture
from space.layers import Shape
from space.notation import read
from workers.course import TrainingError
from workers.dataset import DataSet
from workers.numerics import device, fastest
from workers.process import prepare
from workers.recipe import Recipe
from workers.training import Batches, batches, begin, fit

_IMAGES = 1000
"""Random ones; a batch of validation."""
_STEPS = 16
"""Training steps between two looks at the clock: an optimiser and its schedule are made anew for each time."""


class Pace(NamedTuple):
    """How fast one network trains."""

    step: float
    """Seconds of a training step."""
    image: float
    """Seconds of validating one image."""


def paces(networks: Sequence[Architecture], data: Batches, recipe: Recipe, seconds: float) -> list[Pace]:
    """Time the networks by turns until `seconds` are over, each of them once at least."""
    ends = time.monotonic() + seconds
    found: list[list[Pace]] = [[] for _ in networks]
    turn = 0
    while turn < len(networks) or time.monotonic() < ends:
        place = turn % len(networks)
        found[place].append(pace(networks[place], data, recipe))
        turn += 1
    return [Pace(fmean(one.step for one in each), fmean(one.image for one in each)) for each in found]


def pace(network: Architecture, data: Batches, recipe: Recipe) -> Pace:
    """One short training of a network from fresh weights, and one validation."""
    places = torch.arange(_STEPS * recipe.batch) % len(data.labels)
    nothing, everything = torch.arange(0), torch.arange(len(data.labels))
    module, generator = begin(network, data, seed=0)
    times = [time.perf_counter()]
    for part, epochs in (
        (replace(data, train=places, validation=nothing), 1),
        (replace(data, train=nothing, validation=everything), 0),
    ):
        with suppress(TrainingError):  # there is nothing to learn, and time is taken either way
            fit(module, part, replace(recipe, epochs=epochs), generator)
        times.append(time.perf_counter())
    return Pace((times[1] - times[0]) / _STEPS, (times[2] - times[1]) / len(data.labels))


def random_images(image: Shape, classes: int) -> DataSet:
    """Random bytes with random labels."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (_IMAGES, *image), dtype=np.uint8)
    even = (0.5,) * image[0]
    return DataSet("random", images, rng.integers(0, classes, _IMAGES), classes, even, even, "")


def main() -> None:
    """Answer on stdout, as JSON."""
    order: dict[str, Any] = json.loads(sys.stdin.readline())
    networks, recipe = [read(line) for line in order["lines"]], Recipe(epochs=1, batch=order["batch"])
    prepare()
    numerics = fastest(Path(order["numerics"]))
    os.nice(order["niceness"])  # as trainings are, but not the measurement of numerics
    data = batches(random_images(networks[0].input, networks[0].classes), None, numerics, device())
    pace(networks[0], data, recipe)  # what a process does once
    print(json.dumps({"device": str(device()), "numerics": str(numerics)}), flush=True)
    sys.stdin.readline()
    print(json.dumps(paces(networks, data, recipe, order["seconds"])), flush=True)


if __name__ == "__main__":
    main()
