"""What training costs on a GPU, and how many trainings share one best.

An epoch of 60,000 images of 28x28 by the loop that people write, by petitnet's steps as they stand, and by the same
steps as CUDA graphs; what capturing costs; a trial of 16 epochs, everything included; then images a second of many
trainings at once: in processes of their own, with MPS where it is installed, and on streams of one process. Images are
noise: what they show does not change how long they take. Run on an idle machine with a GPU:

    python -m benchmarks.gpu [--rounds 5] [--seconds 5] [--most 16]
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch.utils.data import DataLoader, Subset

from benchmarks import plain_script
from search import home
from space.building import build
from space.notation import read
from workers.dataset import DataSet, make
from workers.device_training import Prepared
from workers.feed import Feed, draw
from workers.job import Trained
from workers.numerics import Numerics, fastest, machine
from workers.practice import LINE, Practice
from workers.process import prepare
from workers.recipe import Recipe
from workers.sharing import best, ladder
from workers.training import Batches, batches, begin, train

IMAGES = 60_000
CUDA = torch.device("cuda")
_EPOCHS = 16
_LOADERS = (0, 8)
"""Processes that load for the loop that people write: none, as it is by default, and some."""
_PASSES = 3
"""A training step costs about this many times the forward pass: backward once by inputs and once by weights."""


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of the epochs; the median counts")
    parser.add_argument("--seconds", type=float, default=5.0, help="that each number of trainings is given")
    parser.add_argument("--most", type=int, default=16, help="trainings at once")
    asked = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("benchmarks.gpu needs a GPU that torch can use, but there is none")
    prepare()
    numerics = fastest(home.numerics_file())
    print(f"{machine()}, CUDA {torch.version.cuda}, driver {_driver()}; {numerics}")
    print(f"{len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}; {LINE}")
    data = _noise()
    _epochs(data, numerics, asked.rounds)
    _trial(data, numerics)
    _at_once(numerics, asked.most, asked.seconds)


def _driver() -> str:
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout.split("\n")[0]


def _noise() -> DataSet:
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, 1, 28, 28), dtype=np.uint8)
    return make("noise", pixels, np.arange(IMAGES, dtype=np.int64) % 10, "")


def _epochs(noise: DataSet, numerics: Numerics, rounds: int) -> None:
    """Seconds of an epoch each way, and what share of the GPU's peak they come to."""
    data = batches(noise, None, numerics, CUDA)
    network, _ = begin(read(LINE), data, 0)
    peak, work = _peak(), 2 * _PASSES * read(LINE).totals.macs * IMAGES / 1e12
    print(f"\none epoch of {IMAGES:,} images, seconds (median of {rounds}); the peak is {peak:.0f} TFLOP/s")
    seconds = {f"DataLoader, {loaders} processes": _plain_epoch(noise, loaders) for loaders in _LOADERS}
    for batch in (Recipe(epochs=1).batch, 512):
        recipe = Recipe(epochs=rounds + 1, batch=batch)
        steps = Prepared(network, data, recipe)
        seconds[f"resident, batch {batch}"] = _own_epoch(steps, network, data, recipe)
        captures = [Prepared(network, data, recipe).capture(), steps.capture()]
        seconds[f"graph, batch {batch}"] = _own_epoch(steps, network, data, recipe)
        print(f"  capturing training and validation steps of {batch}: {', then '.join(f'{s:.3f}' for s in captures)}")
    slowest = min(seconds[f"DataLoader, {loaders} processes"] for loaders in _LOADERS)
    for name, time_of_one in seconds.items():
        share = work / time_of_one / peak
        print(f"  {name:<24} {time_of_one:8.4f}   {slowest / time_of_one:7.1f} times as fast   {share:.2%} of the peak")


def _plain_epoch(noise: DataSet, loaders: int) -> float:
    """The loop that people write, with its data on the CPU and its network on the GPU; after a first, short epoch."""
    transform = plain_script.augmented(noise.mean[0], noise.deviation[0])
    images = plain_script.Images(noise.images, noise.labels, transform)
    batch = plain_script.BATCH
    loader = DataLoader(images, batch, shuffle=True, drop_last=True, num_workers=loaders, pin_memory=True)
    network = build(read(LINE)).to(CUDA)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plain_script.PEAK, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plain_script.PEAK, epochs=2, steps_per_epoch=len(loader))
    first = DataLoader(Subset(images, range(10 * batch)), batch, drop_last=True)
    plain_script.take_epoch(network, first, optimiser, schedule, "cuda")
    return _timed(lambda: plain_script.take_epoch(network, loader, optimiser, schedule, "cuda"))


def _own_epoch(steps: Prepared, network: torch.nn.Sequential, data: Batches, recipe: Recipe) -> float:
    """One epoch by our steps, its draws included; after a first epoch."""
    generator = torch.Generator().manual_seed(0)
    steps.begin(network, {})

    def epoch(number: int) -> None:
        steps.launch(data, draw(data.train, recipe, generator, number))

    return statistics.median([_timed(partial(epoch, number)) for number in range(recipe.epochs)][1:])


def _timed(work: Callable[[], object]) -> float:
    torch.cuda.synchronize()
    begun = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - begun


def _peak() -> float:
    """TFLOP/s of the fastest large matrix product in bfloat16."""
    a = torch.randn(8192, 8192, device=CUDA).bfloat16()
    return 2 * 8192**3 / min(_timed(lambda: torch.mm(a, a)) for _ in range(10)) / 1e12


def _trial(noise: DataSet, numerics: Numerics) -> None:
    """A whole training with validation, capture included, and once more with the graphs that are there."""
    data = batches(noise, 0, numerics, CUDA)
    outcomes = [train(read(LINE), data, Recipe(epochs=_EPOCHS), seed=seed) for seed in range(2)]
    assert all(isinstance(outcome, Trained) for outcome in outcomes)
    seconds = ", then ".join(f"{outcome.seconds:.2f}" for outcome in outcomes if isinstance(outcome, Trained))
    print(f"\na trial of {_EPOCHS} epochs of {len(data.train):,} images with validation, seconds: {seconds}")


def _at_once(numerics: Numerics, most: int, seconds: float) -> None:
    """Images a second of many trainings, each way."""
    print(f"\nmany trainings at once: images a second in all, and trials of {_EPOCHS} epochs an hour")
    _show("processes", _processes(numerics, most, seconds))
    with _mps() as is_there:
        if is_there:
            _show("processes with MPS", _processes(numerics, most, seconds))
        else:
            print("  MPS is not installed")
    _show("streams of one process", {count: _streams(numerics, count, seconds) for count in ladder(most)})


def _processes(numerics: Numerics, most: int, seconds: float) -> Mapping[int, float]:
    with Practice(most, numerics) as practice:
        return {count: practice.images_a_second(count, seconds) for count in ladder(most)}


@contextmanager
def _mps() -> Iterator[bool]:
    """A control daemon for the processes that are started meanwhile, if there is one."""
    control = shutil.which("nvidia-cuda-mps-control")
    if control is None:
        yield False
        return
    with tempfile.TemporaryDirectory() as directory:
        names = ("CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY")
        os.environ |= dict.fromkeys(names, directory)
        subprocess.run([control, "-d"], check=True)
        try:
            yield True
        finally:
            subprocess.run([control], input="quit\n", text=True, check=False)
            for name in names:
                del os.environ[name]


def _streams(numerics: Numerics, count: int, seconds: float) -> float:
    """Images a second of so many networks, each with graphs, buffers and a stream of its own.

    Only good for timing: they were captured on one stream, so that matrix products share a workspace.
    """
    data = batches(_noise(), None, numerics, CUDA)
    network, generator = begin(read(LINE), data, 0)
    recipe = Recipe(epochs=1)
    crew = [(Prepared(network, data, recipe, feed=Feed), _stream()) for _ in range(count)]
    epoch = draw(data.train, recipe, generator, 0).to(CUDA)
    for steps, _ in crew:
        steps.capture()
        steps.begin(network, {})

    def all_take_an_epoch() -> None:
        for steps, stream in crew:
            with torch.cuda.stream(stream):
                steps.launch(data, epoch)

    _timed(all_take_an_epoch)
    taken: list[float] = []
    while sum(taken) < seconds:
        taken.append(_timed(all_take_an_epoch))
    return len(taken) * count * len(epoch.places) / sum(taken)


def _stream() -> torch.cuda.Stream:
    return torch.cuda.Stream()  # type: ignore[no-untyped-call]


def _show(name: str, rates: Mapping[int, float]) -> None:
    for count, rate in rates.items():
        print(f"  {name:<24} {count:>2} at once   {rate:12,.0f}   {3600 * rate / (_EPOCHS * IMAGES):9,.0f}")
    print(f"  {name:<24} best: {best(rates)}")


if __name__ == "__main__":
    main()
