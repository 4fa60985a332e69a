"""petitnet's engine beside the loop that people write today: an epoch, a trial of 16 epochs, a whole search.

Same network, same images, same epochs, same machine, in one run, turn by turn. Everything is charged: starting a
process, loading images, validation, and for the search Ray, the database and what is pruned. Run with
`make bench`, or `python -m benchmarks.training [--epochs 16] [--candidates 24] [--rounds 3]` on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from search import home
from space.notation import read
from workers import sources
from workers.dataset import split
from workers.numerics import fastest, machine

LINES = {
    "5k": "1x28x28-4c3pnr-8c3pnr-P2-16c3pnr-16c3pnr-P2-10c3p-G",
    "10k": "1x28x28-8c3pnr-12c3pnr-P2-16c3pnr-16c3pnr-P2-20c3pnr-10c3p-G",
}
DATASET = "mnist"
_PASSES = 3
"""A training step costs about this many times the forward pass: backward once by inputs and once by weights."""


def main() -> None:
    """Print all three comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=16, help="of the trial")
    parser.add_argument("--candidates", type=int, default=24, help="of our search")
    parser.add_argument("--rounds", type=int, default=3, help="of the epochs")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{machine()}; {len(os.sched_getaffinity(0))} cores, one a training; Python {platform.python_version()}")
    print(f"ours: {fastest(home.numerics_file())}; theirs: float32, DataLoader without worker processes")
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "images.npz"
        images = write_images(file)
        _epochs(file, images, asked.rounds)
        theirs = _trials(file, asked.epochs)
        _search(theirs, asked.candidates, Path(directory))


def write_images(file: Path) -> int:
    """The images for the plain script, cut as ours are; how many train."""
    data = sources.load(DATASET, home.data_directory())
    parts = split(data.labels, 0)
    np.savez(
        file,
        images=data.images[parts.train],
        labels=data.labels[parts.train],
        held_images=data.images[parts.validation],
        held_labels=data.labels[parts.validation],
        mean=data.mean[0],
        deviation=data.deviation[0],
    )
    return len(parts.train)


def plain_command(file: Path, line: str, epochs: int, seed: int) -> list[str]:
    """One trial by the usual loop, as a process."""
    return [sys.executable, "-m", "benchmarks.plain_script", str(file), line, str(epochs), str(seed)]


def our_command(line: str, epochs: int, seed: int) -> list[str]:
    """The same trial by the engine."""
    return [sys.executable, "-m", "benchmarks.engine_trial", DATASET, line, str(epochs), str(seed)]


def timed(command: Sequence[str]) -> tuple[float, dict[str, float]]:
    """Seconds of a process from its start to its end, and what it says."""
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.monotonic() - begun, json.loads(done.stdout)


def _epochs(file: Path, images: int, rounds: int) -> None:
    """One epoch of each network, by turns, by the training's own clock."""
    peak = _peak()
    print(f"\none epoch of {images} images, seconds (median of {rounds} turns); one core gives {peak:.0f} GFLOP/s")
    for name, line in LINES.items():
        turns = [
            (
                timed(plain_command(file, line, 1, seed))[1]["epoch_seconds"],
                timed(our_command(line, 1, seed))[1]["epoch_seconds"],
            )
            for seed in range(rounds)
        ]
        theirs, ours = (statistics.median(times) for times in zip(*turns, strict=True))
        work = 2 * _PASSES * read(line).totals.macs * images / 1e9
        print(
            f"  {name:<4} theirs {theirs:6.1f}   ours {ours:6.1f}   ratio {theirs / ours:5.2f}   "
            f"share of the peak {work / theirs / peak:.1%} and {work / ours / peak:.1%}"
        )


def _peak() -> float:
    """GFLOP/s of the fastest large matrix product on one thread, in float32 or bfloat16."""
    best = 0.0
    for kind in (torch.float32, torch.bfloat16):
        a = torch.randn(2048, 2048).to(kind)
        for _ in range(4):
            begun = time.perf_counter()
            a @ a
            best = max(best, 2 * 2048**3 / (time.perf_counter() - begun) / 1e9)
    return best


def _trials(file: Path, epochs: int) -> float:
    """Trials from the start of their processes to their ends, one a core at once; the plain ones an hour."""
    slots = len(os.sched_getaffinity(0))
    print(f"\n{slots} trials of {epochs} epochs with validation at once, process start included, seconds")
    theirs, plain = _at_once([plain_command(file, LINES["10k"], epochs, seed) for seed in range(slots)])
    ours, engine = _at_once([our_command(LINES["10k"], epochs, seed) for seed in range(slots)])
    accuracies = [", ".join(f"{one['accuracy']:.2%}" for one in outcomes) for outcomes in (plain, engine)]
    both = f"theirs {theirs:6.1f} ({accuracies[0]})   ours {ours:6.1f} ({accuracies[1]})"
    print(f"  10k  {both}   ratio {theirs / ours:5.2f}")
    return 3600 * slots / theirs


def _at_once(commands: Sequence[Sequence[str]]) -> tuple[float, list[dict[str, float]]]:
    """Seconds until all of these processes have ended, and what each says."""
    begun = time.monotonic()
    with ThreadPoolExecutor(len(commands)) as pool:
        outcomes = [said for _, said in pool.map(timed, commands)]
    return time.monotonic() - begun, outcomes


def _search(theirs: float, candidates: int, directory: Path) -> None:
    """Candidates an hour by the command line, Ray, database and what is pruned included; `theirs` all go to the end."""
    slots = len(os.sched_getaffinity(0))
    begun = time.monotonic()
    command = [str(Path(sys.executable).with_name("search")), "run", "--dataset", DATASET, "--budget", "10k"]
    command += ["--target", "1.0", "--trials", str(candidates), "--storage", f"sqlite:///{directory / 'studies.db'}"]
    subprocess.run(command, capture_output=True, check=False)  # 3: the target cannot be met
    ours = 3600 * candidates / (time.monotonic() - begun)
    print(f"\na search, candidates an hour on {slots} cores, from the start of the command to its end")
    print(f"  theirs {theirs:6.1f} (the trials above)   ours {ours:6.1f} ({candidates} candidates, rungs)")
    print(f"  ratio {ours / theirs:5.1f}")


if __name__ == "__main__":
    main()
