from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from workers import sources
from workers.dataset import DataSet, make
from workers.kernels import Kernels, load


@pytest.fixture(autouse=True)
def torch_of_its_own() -> Iterator[None]:
    """Workers set the threads and the denormals of their process, which here is the test run's.

    One thread: two of them wait for each other on a busy machine, ten times as long as they compute.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return sources.load("digits", tmp_path_factory.mktemp("data"))


@pytest.fixture
def few() -> DataSet:
    """72 images of 8x8 in three classes, each a bright bar in a place of its own."""
    labels = np.arange(72, dtype=np.int64) % 3
    images = np.random.default_rng(0).integers(0, 60, (72, 1, 8, 8)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[0, 2 * label : 2 * label + 2] += 180
    return make("few", images, labels, "0" * 64)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where digits lie once they were fetched."""
    sources.load("digits", tmp_path)
    return tmp_path / "digits"


@pytest.fixture(scope="session")
def kernels() -> Kernels:
    """Compiled once in a test run."""
    found = load()
    assert found is not None
    return found
