"""Trains the networks of the table: random ones of our own space, then ones like the best of them.

    python -m benchmarks.tabular.build rows.jsonl [--random 1150] [--near 350] [--seconds 3000]

MNIST's training images averaged to 16x16 pixels: small enough to train thousands of networks, large enough for the same
ranges as a search on MNIST. The first 2,000 images of one fold train, the first 5,000 of another validate. Each network
is trained for 1, 4 and 16 epochs, every time from fresh weights under a schedule of that length, with two seeds. The
budgets that random draws are fitted to are spread evenly in the logarithm. Networks near the best are there because
searches go there: of the best of ten random ones one to three choices are drawn again.

The file has a line a network, so that the same command goes on where it was interrupted; at the end all of it is packed
into table.csv.gz, beside this program.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import json_lines
from benchmarks.tabular.table import DATASET, IMAGES, RUNGS, SEEDS, pack, space
from search import home
from space.architecture import Architecture
from space.filling import settle
from space.identity import identity
from space.notation import write
from space.ranges import Choices
from workers import sources
from workers.dataset import split
from workers.job import Trained
from workers.numerics import device, fastest
from workers.process import prepare
from workers.recipe import default_recipe
from workers.training import Batches, batches, train

LARGEST = 20_000
SMALLEST = 500
"""Of the budgets, in parameters."""
_TRAINING = 2_000
"""Images."""
Row = dict[str, Any]
"""What the file has of one network."""


def main() -> None:
    """Train what is not in the file yet, and pack it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--random", type=int, default=1150)
    parser.add_argument("--near", type=int, default=350)
    parser.add_argument("--seconds", type=float, default=math.inf, help="after which no training is begun")
    asked = parser.parse_args()
    ends = time.monotonic() + asked.seconds
    rows: list[Row] = json_lines(asked.file)
    with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool, asked.file.open("a") as out:
        for near in (False, True):
            known = {row["identity"] for row in rows}
            drawn = _near(rows, asked.near) if near else _random(asked.random)
            todo = ((row, ends) for row in drawn if row["identity"] not in known)
            for row in pool.imap_unordered(_train, todo, chunksize=1):
                if row is not None:
                    rows.append(row)
                    print(json.dumps(row), file=out, flush=True)
    pack(rows)
    print(f"{len(rows)} networks")


def _random(count: int) -> Iterator[Row]:
    """Different random networks."""
    rng, seen = random.Random(0), set[str]()
    while len(seen) < count:
        row = _row(space().random(rng), rng, "random")
        if row["identity"] not in seen:
            seen.add(row["identity"])
            yield row


def _near(rows: list[Row], count: int) -> Iterator[Row]:
    """Networks that differ in one to three choices from the best of ten random ones, and in their budgets."""
    rng, seen = random.Random(1), {row["identity"] for row in rows if row["origin"] == "random"}
    tried = sorted((row for row in rows if row["origin"] == "random"), key=lambda row: row["identity"])
    found = 0
    while found < count:
        rivals = rng.sample(tried, 10)
        parent = min(rivals, key=lambda row: sum(row["wrong"][str(max(RUNGS))]))
        choices = dict(parent["choices"])
        for dimension in rng.sample(space().dimensions, rng.randint(1, 3)):
            choices[dimension.name] = dimension.draw(rng)
        row = _row(choices, rng, "near")
        if row["identity"] not in seen:
            seen.add(row["identity"])
            found += 1
            yield row


def _row(asked: Choices, rng: random.Random, origin: str) -> Row:
    budget = round(math.exp(rng.uniform(math.log(SMALLEST), math.log(LARGEST))))
    choices = settle(space(), asked, budget)
    architecture = space().architecture(choices)
    return {
        "origin": origin,
        "identity": identity(architecture),
        "line": write(architecture),
        "parameters": architecture.totals.parameters,
        "choices": choices,
    }


def _train(task: tuple[Row, float]) -> Row | None:
    row, ends = task
    if time.monotonic() > ends:
        return None
    architecture = space().architecture(row["choices"])
    data = data_of_the_table()
    wrong = {str(epochs): [wrong_after(architecture, data, epochs, seed) for seed in range(SEEDS)] for epochs in RUNGS}
    return row | {"wrong": wrong}


def wrong_after(architecture: Architecture, data: Batches, epochs: int, seed: int) -> int:
    """Validation images that a training gets wrong; all of them if it fails."""
    outcome = train(architecture, data, default_recipe(epochs, len(data.train)), seed=1000 * seed + epochs)
    images = len(data.validation)
    return images - round(outcome.accuracy * images) if isinstance(outcome, Trained) else images


@cache
def data_of_the_table() -> Batches:
    """Images of one fold train, images of another validate."""
    prepare()
    data = sources.load(DATASET, home.data_directory())
    whole = batches(data, None, fastest(home.numerics_file()), device())
    validation, training = (torch.from_numpy(split(data.labels, fold).validation) for fold in (0, 1))
    return replace(whole, train=training[:_TRAINING], validation=validation[:IMAGES])


if __name__ == "__main__":
    main()
