"""Processes that train a small network on the same GPU, or else on the CPU, for as long as they are told."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Self

import numpy as np

from space.notation import read
from workers.dataset import make
from workers.numerics import Numerics, device
from workers.process import prepare
from workers.recipe import Recipe
from workers.training import batches, begin, fit

LINE = "1x28x28-4c3pnr-8c3pnr-P2-16c3pnr-16c3pnr-P2-10c3p-G"
"""The network: of the size and kind that searches train."""
_IMAGES = 12_800
"""Of an epoch, which is short so that a second holds some of them."""
_PATIENCE = 120.0
"""Seconds after which a process that has not answered is given up."""


class Practice:
    """So many processes, all ready when this has been entered. OSError or EOFError if one is not, or dies."""

    def __init__(self, count: int, numerics: Numerics, images: int = _IMAGES) -> None:
        """`images` are those of an epoch."""
        self._count = count
        self._work = (numerics, images)
        self._crew: list[tuple[BaseProcess, Connection]] = []

    def __enter__(self) -> Self:
        try:
            for _ in range(self._count):
                self._crew.append(self._start())
            for _, pipe in self._crew:
                _answer(pipe)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for process, _ in self._crew:
            process.terminate()
        for process, pipe in self._crew:
            process.join()
            pipe.close()

    def images_a_second(self, count: int, seconds: float) -> float:
        """That the first `count` of them train on together, in so many seconds, while the others wait."""
        pipes = [pipe for _, pipe in self._crew[:count]]
        for pipe in pipes:
            pipe.send(seconds)
        return sum(_answer(pipe) for pipe in pipes)

    def _start(self) -> tuple[BaseProcess, Connection]:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_train_when_told, args=(there, *self._work), daemon=True)
        process.start()
        there.close()  # else its end would not be noticed
        return process, here


def _answer(pipe: Connection) -> float:
    if not pipe.poll(_PATIENCE):
        raise TimeoutError(f"a process that trains has not answered in {_PATIENCE:g} s")
    return float(pipe.recv())


def _train_when_told(pipe: Connection, numerics: Numerics, images: int) -> None:
    """What each process does: train for the seconds that it is sent, and answer with images a second."""
    prepare()
    epoch = _epoch(numerics, images)
    epoch()
    pipe.send(0.0)
    while True:
        pipe.send(pace(epoch, pipe.recv()))


def pace(epoch: Callable[[], int], seconds: float, now: Callable[[], float] = time.perf_counter) -> float:
    """Images a second of epochs, as many as begin within so many seconds; each returns its images."""
    begun, images = now(), 0
    while True:
        images += epoch()
        passed = now() - begun
        if passed >= seconds:
            return images / passed


def _epoch(numerics: Numerics, images: int) -> Callable[[], int]:
    """A training of one epoch, on noise: what images show does not change how long they take."""
    pixels = np.random.default_rng(0).integers(0, 256, (images, 1, 28, 28), dtype=np.uint8)
    labels = np.arange(images, dtype=np.int64) % 10
    data = batches(make("noise", pixels, labels, ""), None, numerics, device())
    network, generator = begin(read(LINE), data, 0)

    def epoch() -> int:
        fit(network, data, Recipe(epochs=1), generator)
        return images

    return epoch
