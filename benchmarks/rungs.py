"""How well short trainings rank networks: rank correlations of 1 and 4 epochs with 16, over random networks.

    python -m benchmarks.rungs rungs.json --networks 40 [--budget 10000] [--seconds 3000]

Networks are drawn as a search draws its first ones. Each is trained for 1, 4 and 16 epochs, every time from fresh
weights under a schedule of that length, on all training images of MNIST but fold 0, which validates. The file has a
line a training, so that the same command goes on where it was interrupted. Then it prints Spearman's rank correlations,
over all networks and within the best fifth by 16 epochs, and how many of the best tenth each reduction would have kept.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from scipy.stats import spearmanr

from benchmarks.common import json_lines, mnist
from search.settings import StudySettings
from space.filling import settle
from space.notation import read, write
from workers.job import Trained
from workers.recipe import default_recipe
from workers.training import train

LENGTHS = (1, 4, 16)
"""Epochs; the last are what the others are to foretell."""
Accuracies = dict[str, dict[int, float]]
"""By network, in one line, and epochs."""


def main() -> None:
    """Train what is not in the file yet, and print what all of it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--networks", type=int, default=40)
    parser.add_argument("--budget", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which no training is begun")
    asked = parser.parse_args()
    found = _known(asked.file)
    lines = list(_drawn(asked.networks, asked.budget))
    todo = [(line, epochs) for line in lines for epochs in LENGTHS if epochs not in found.get(line, {})]
    ends = time.monotonic() + asked.seconds
    with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool, asked.file.open("a") as out:
        for line, epochs, accuracy in pool.imap_unordered(_train, [(*task, ends) for task in todo]):
            if accuracy is not None:
                found.setdefault(line, {})[epochs] = accuracy
                print(json.dumps([line, epochs, accuracy]), file=out, flush=True)
    whole = {line: found[line] for line in lines if set(LENGTHS) <= found.get(line, {}).keys()}
    _report(whole)


def _known(file: Path) -> Accuracies:
    found: Accuracies = {}
    for line, epochs, accuracy in json_lines(file):
        found.setdefault(line, {})[epochs] = accuracy
    return found


def _drawn(count: int, budget: int) -> Iterator[str]:
    space, rng, seen = StudySettings.make("mnist", budget, 1.0).space, random.Random(0), set[str]()
    while len(seen) < count:
        line = write(space.architecture(settle(space, space.random(rng), budget)))
        if line not in seen:
            seen.add(line)
            yield line


def _train(task: tuple[str, int, float]) -> tuple[str, int, float | None]:
    line, epochs, ends = task
    if time.monotonic() > ends:
        return line, epochs, None
    data = mnist(0)
    outcome = train(read(line), data, default_recipe(epochs, len(data.train)), seed=epochs)
    return line, epochs, outcome.accuracy if isinstance(outcome, Trained) else 0.0


def _report(whole: Mapping[str, Mapping[int, float]]) -> None:
    top = max(LENGTHS)
    ranked = sorted(whole.values(), key=lambda one: -one[top])
    fifth, tenth = ranked[: max(3, len(ranked) // 5)], ranked[: max(1, len(ranked) // 10)]
    print(f"{len(ranked)} networks; the best after {top} epochs: {ranked[0][top]:.2%}")
    for epochs in sorted(set(LENGTHS) - {top}):
        overall, within = (
            spearmanr([one[epochs] for one in some], [one[top] for one in some]).statistic for some in (ranked, fifth)
        )
        kept = {share: _kept(ranked, tenth, epochs, share) for share in (2, 3, 4, 6)}
        shares = ", ".join(f"{count} of {len(tenth)} by the best 1 in {share}" for share, count in kept.items())
        print(f"{epochs:>3} epochs: {overall:.2f} over all, {within:.2f} within the best fifth; kept {shares}")


def _kept(ranked: list[Mapping[int, float]], tenth: list[Mapping[int, float]], epochs: int, share: int) -> int:
    """How many of the best tenth are among the best 1 of `share` after `epochs`."""
    least = sorted((one[epochs] for one in ranked), reverse=True)[max(1, len(ranked) // share) - 1]
    return sum(one[epochs] >= least for one in tenth)


if __name__ == "__main__":
    main()
