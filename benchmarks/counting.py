"""How long counting takes: all totals of one network, from its layers, against building it and summing `numel`.

Run with `make bench`, or `python benchmarks/counting.py`. Both are timed side by side in one process, so the ratio
holds on any machine; the absolute times do not.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable

import torch

from space.architecture import Architecture
from space.building import build
from space.counting import count
from space.notation import read

TWELVE_LAYERS = read("1x28x28-8c3pnr-12c3pnr-P2-16c3pnr-10c3p-G")
LIMIT = 100.0
"""Microseconds that the totals of a network of twelve layers may take."""
ROUNDS, CALLS = 20, 500


def microseconds(call: Callable[[], object], calls: int) -> list[float]:
    """Time of one call in each of several rounds."""
    found = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(calls):
            call()
        found.append(1e6 * (time.perf_counter() - begun) / calls)
    return found


def built(architecture: Architecture) -> int:
    """The parameters of the network itself."""
    return sum(parameter.numel() for parameter in build(architecture).parameters())


def main() -> None:
    """Print both times and their ratio; an assertion fails if counting is over its limit or counts wrongly."""
    layers = TWELVE_LAYERS.layers
    assert len(layers) == 12
    assert count(TWELVE_LAYERS.input, layers).parameters == built(TWELVE_LAYERS)
    counting = microseconds(lambda: count(TWELVE_LAYERS.input, layers), CALLS)
    building = microseconds(lambda: built(TWELVE_LAYERS), CALLS // 50)
    print(f"Python {platform.python_version()}, torch {torch.__version__}, {platform.machine()}, {ROUNDS} rounds")
    for name, times in (("count", counting), ("build and sum", building)):
        print(f"{name:<14}{statistics.median(times):10.1f} us   ({min(times):.1f} to {max(times):.1f})")
    print(f"ratio         {statistics.median(building) / statistics.median(counting):10.0f}")
    assert statistics.median(counting) < LIMIT, f"counting must take under {LIMIT} us"


if __name__ == "__main__":
    main()
