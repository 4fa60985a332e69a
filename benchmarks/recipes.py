"""What a change of the recipe is worth: networks of three sizes, several seeds, validation accuracy on MNIST.

    python -m benchmarks.recipes --epochs 4 --seeds 5 "" batch=64 peak=0.05,smoothing=0 augmentation.shift=0

Each argument is one recipe: fields of workers.recipe.Recipe that differ from the default, "" for the default itself.
All trainings hold out the fold of their seed, so that no two seeds have the same validation images, and no test image
is read. Prints a line a recipe: for each network the mean and its standard error, in %. What is decided by it stands in
docs/experiments.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from benchmarks.common import mnist
from space.notation import read
from space.statistics import Summary
from workers.dataset import FOLDS
from workers.job import Trained
from workers.recipe import Augmentation, Recipe, default_recipe
from workers.training import train

LINES = {
    "3k": "1x28x28-4c3nr-8c3nr-P2-8c3nr-12c3nr-10c3-G",
    "5k": "1x28x28-4c3pnr-8c3pnr-P2-16c3pnr-16c3pnr-P2-10c3p-G",
    "10k": "1x28x28-8c3pnr-12c3pnr-P2-16c3pnr-16c3pnr-P2-20c3pnr-10c3p-G",
}
Task = tuple[str, str, int, int]
"""Changes, network, epochs, seed."""


def main() -> None:
    """Train, and print a line a recipe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("changes", nargs="+")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--networks", default=",".join(LINES))
    asked = parser.parse_args()
    names = asked.networks.split(",")
    for changes in asked.changes:
        changed(default_recipe(asked.epochs, 1), changes)  # what cannot be read ends it now
    with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool:
        for changes in asked.changes:
            tasks = [(changes, name, asked.epochs, seed) for name in names for seed in range(asked.seeds)]
            found = pool.map(accuracy, tasks, chunksize=1)
            by_name = {
                name: Summary.of([100 * found[place] for place, task in enumerate(tasks) if task[1] == name])
                for name in names
            }
            print(f"{changes or 'default':<40} {_line(by_name)}", flush=True)


def _line(by_name: Mapping[str, Summary]) -> str:
    return "   ".join(f"{name} {one.mean:.3f} ± {_error(one):.3f}" for name, one in by_name.items())


def _error(one: Summary) -> float:
    """Standard error of the mean."""
    return 0.0 if one.deviation is None else one.deviation / one.count**0.5


def accuracy(task: Task) -> float:
    """On the fold held out; a fraction."""
    changes, name, epochs, seed = task
    data = mnist(seed % FOLDS)
    outcome = train(read(LINES[name]), data, changed(default_recipe(epochs, len(data.train)), changes), seed=seed)
    return outcome.accuracy if isinstance(outcome, Trained) else float("nan")


def changed(recipe: Recipe, changes: str) -> Recipe:
    """The recipe with the fields that `name=value,...` says; `augmentation.` comes before those of the augmentation."""
    own: dict[str, Any] = {}
    moves: dict[str, float] = {}
    for change in filter(None, changes.split(",")):
        name, value = change.split("=")
        if name.startswith("augmentation."):
            moves[name.removeprefix("augmentation.")] = float(value)
        else:
            own[name] = int(value) if name == "batch" else float(value)
    known = {field.name for field in fields(Recipe)}
    if unknown := own.keys() - known:
        raise SystemExit(f"a recipe has {', '.join(sorted(known))}, but got {', '.join(sorted(unknown))}")
    return replace(recipe, **own, augmentation=replace(Augmentation(), **moves))


if __name__ == "__main__":
    main()
