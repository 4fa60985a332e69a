"""Images and labels in memory, with what training needs to know of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOLDS = 6
"""Parts a training set is cut into: one is held out for validation, so MNIST's 60,000 become 50,000 and 10,000."""

_FOLD_SEED = 20_240_229


class DataError(Exception):
    """A data set that cannot be had or must not be trained on."""


@dataclass(frozen=True)
class DataSet:
    """The images of one split; arrays may be read-only views of shared memory."""

    name: str
    images: NDArray[np.uint8]
    """(N, channels, height, width)."""
    labels: NDArray[np.int64]
    """(N,), from 0 to classes - 1."""
    classes: int
    mean: tuple[float, ...]
    """Mean of each channel, as a fraction of 255."""
    deviation: tuple[float, ...]
    """Standard deviation of each channel, as a fraction of 255."""
    checksum: str
    """SHA-256 of the images and labels as they are stored."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image(self) -> tuple[int, int, int]:
        """(channels, height, width) in pixels."""
        _, channels, height, width = self.images.shape
        return channels, height, width


def make(name: str, images: NDArray[np.uint8], labels: NDArray[np.int64], checksum: str) -> DataSet:
    """A DataSet with its classes and moments read off the arrays."""
    moments = [_moments(images[:, channel]) for channel in range(images.shape[1])]
    means, deviations = zip(*moments, strict=True)
    return DataSet(name, images, labels, int(labels.max()) + 1, means, deviations, checksum)


def _moments(pixels: NDArray[np.uint8]) -> tuple[float, float]:
    shares = np.bincount(pixels.reshape(-1), minlength=256) / pixels.size
    levels = np.arange(256) / 255
    mean = float(shares @ levels)
    return mean, float(np.sqrt(shares @ (levels - mean) ** 2))


@dataclass(frozen=True)
class Split:
    """Places in a data set, in ascending order."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]


def split(labels: NDArray[np.int64], fold: int | None) -> Split:
    """Hold fold `fold` (from 0 to FOLDS - 1) out for validation, or none; each fold has its share of every class.

    The same labels give the same folds on every machine. Fold 0 is the one a search validates on.
    """
    order = np.lexsort((np.random.default_rng(_FOLD_SEED).random(len(labels)), labels))
    folds = np.empty(len(labels), dtype=np.int64)
    folds[order] = np.arange(len(labels)) % FOLDS
    return Split(train=np.flatnonzero(folds != fold), validation=np.flatnonzero(folds == fold))
