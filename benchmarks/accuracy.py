"""Whether speed was bought with accuracy: petitnet's engine and the usual loop over several seeds, after 16 epochs.

    python -m benchmarks.accuracy accuracy.jsonl [--seeds 5] [--epochs 16]

The networks, the loop and the validation images are those of benchmarks.training; each side has its own recipe. The
file has a line a training, so that the same command goes on where it was interrupted. Then it prints for each network
both means and their difference with its 95 % interval, in %.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from benchmarks.common import json_lines
from benchmarks.training import LINES, our_command, plain_command, timed, write_images
from space.statistics import Summary, difference

Training = tuple[str, str, int]
"""Network, whose it is, seed."""


def main() -> None:
    """Train what is not in the file yet, one a core, and print what all of it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=16)
    asked = parser.parse_args()
    found = _known(asked.file)
    wanted = [(name, whose, seed) for seed in range(asked.seeds) for name in LINES for whose in ("theirs", "ours")]
    with tempfile.TemporaryDirectory() as directory, asked.file.open("a") as out:
        images = Path(directory) / "images.npz"
        write_images(images)
        commands = {one: _command(one, asked.epochs, images) for one in wanted if one not in found}
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            running = {pool.submit(timed, command): training for training, command in commands.items()}
            for future in as_completed(running):
                found[running[future]] = accuracy = future.result()[1]["accuracy"]
                print(json.dumps([*running[future], accuracy]), file=out, flush=True)
    _report({one: found[one] for one in wanted})


def _known(file: Path) -> dict[Training, float]:
    return {(name, whose, seed): accuracy for name, whose, seed, accuracy in json_lines(file)}


def _command(training: Training, epochs: int, images: Path) -> Sequence[str]:
    name, whose, seed = training
    if whose == "theirs":
        return plain_command(images, LINES[name], epochs, seed)
    return our_command(LINES[name], epochs, seed)


def _report(found: dict[Training, float]) -> None:
    for name in LINES:
        theirs, ours = (
            [100 * accuracy for one, accuracy in found.items() if one[:2] == (name, whose)]
            for whose in ("theirs", "ours")
        )
        apart = difference(theirs, ours)
        noise = "" if apart is None else f" ({apart.interval[0]:+.3f} to {apart.interval[1]:+.3f})"
        means = Summary.of(theirs).mean, Summary.of(ours).mean
        print(f"{name:<4} theirs {means[0]:.3f}   ours {means[1]:.3f}   difference {means[1] - means[0]:+.3f}{noise}")


if __name__ == "__main__":
    main()
