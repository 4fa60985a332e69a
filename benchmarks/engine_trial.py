"""One candidate by petitnet's engine in a process of its own, charged like the plain script: it prints the same JSON.

python -m benchmarks.engine_trial DATASET LINE EPOCHS SEED
"""

from __future__ import annotations

import json
import sys

from search import home
from space.notation import read
from workers import sources
from workers.job import Trained
from workers.numerics import device, fastest
from workers.process import prepare
from workers.recipe import default_recipe
from workers.training import batches, train


def main() -> None:
    """Train what the command line says, on one core or on the GPU, as a worker would."""
    prepare()
    dataset, line, epochs, seed = sys.argv[1:]
    data = batches(sources.load(dataset, home.data_directory()), 0, fastest(home.numerics_file()), device())
    outcome = train(read(line), data, default_recipe(int(epochs), len(data.train)), seed=int(seed))
    assert isinstance(outcome, Trained)
    print(json.dumps({"epoch_seconds": outcome.seconds / outcome.epochs, "accuracy": outcome.accuracy}))


if __name__ == "__main__":
    main()
