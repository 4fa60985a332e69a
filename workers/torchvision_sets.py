"""MNIST and its kin through torchvision, which checks the MD5 sum of every archive it downloads."""

from __future__ import annotations

import contextlib
import io
import socket
import tempfile
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

_PATIENCE = 10.0
"""Seconds without an answer after which a mirror is given up."""


class UnreachableError(Exception):
    """No mirror of torchvision's answered."""


def fetch(name: str, **options: str) -> dict[Literal["train", "test"], tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Both splits of `torchvision.datasets.<name>`, labels renumbered from 0; UnreachableError."""
    import torchvision.datasets

    kind = getattr(torchvision.datasets, name)
    with tempfile.TemporaryDirectory() as root, _quiet_and_impatient():
        try:
            train, test = (kind(root, train=part, download=True, **options) for part in (True, False))
        except (OSError, RuntimeError, HTTPException) as error:
            raise UnreachableError(f"torchvision could not download {name} ({_first_line(error)})") from error
        lowest = int(train.targets.min()) if train.targets.ndim == 1 else 0
        return {"train": _arrays(train, lowest), "test": _arrays(test, lowest)}


def _arrays(split: Any, lowest: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images = split.data.numpy()
    if type(split).__name__ == "EMNIST":
        images = images.transpose(0, 2, 1)  # its files hold columns where the others hold rows
    targets = split.targets.numpy()
    if targets.ndim == 2:  # QMNIST: the label is the first of eight notes on each image
        targets = targets[:, 0]
    return np.ascontiguousarray(images[:, None]), targets.astype(np.int64) - lowest


@contextlib.contextmanager
def _quiet_and_impatient() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        socket.setdefaulttimeout(before)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
