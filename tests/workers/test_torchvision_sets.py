"""Torchvision's own classes read files that are written here; only their downloads are replaced."""

from __future__ import annotations

import gc
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision.datasets
from numpy.typing import NDArray

from workers.torchvision_sets import UnreachableError, fetch

IDX_TYPES = {"uint8": 8, "int32": 12}
CLOSED = "http://127.0.0.1:9/"


def idx(array: NDArray[Any]) -> bytes:
    """The IDX format of MNIST's files: type, number of axes, sizes and values, all big-endian."""
    head = bytes([0, 0, IDX_TYPES[array.dtype.name], array.ndim])
    return head + np.array(array.shape, ">i4").tobytes() + array.astype(array.dtype.newbyteorder(">")).tobytes()


def pictures(count: int, seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28)).astype(np.uint8)


def serve(monkeypatch: pytest.MonkeyPatch, kind: type, files: dict[str, NDArray[Any]]) -> None:
    """Let the download of `kind` be these files."""

    def download(self: Any) -> None:
        Path(self.raw_folder).mkdir(parents=True, exist_ok=True)
        for name, array in files.items():
            (Path(self.raw_folder) / name).write_bytes(idx(array))

    monkeypatch.setattr(kind, "download", download)


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_images_and_labels_are_read_as_they_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = pictures(30, 0), pictures(20, 1)
    labels = np.arange(30, dtype=np.uint8)[::-1] % 10
    serve(
        monkeypatch,
        getattr(torchvision.datasets, name),
        {
            "train-images-idx3-ubyte": train,
            "train-labels-idx1-ubyte": labels,
            "t10k-images-idx3-ubyte": test,
            "t10k-labels-idx1-ubyte": labels[:20],
        },
    )
    found = fetch(name)

    assert np.array_equal(found["train"][0], train[:, None])
    assert np.array_equal(found["train"][1], labels)
    assert np.array_equal(found["test"][0], test[:, None])
    assert np.array_equal(found["test"][1], labels[:20])
    assert [array.dtype for array in found["train"]] == [np.uint8, np.int64]


def test_emnist_lies_on_its_side_and_its_letters_begin_at_1(monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = pictures(52, 0), pictures(26, 1)
    labels = (np.arange(52) % 26 + 1).astype(np.uint8)
    serve(
        monkeypatch,
        torchvision.datasets.EMNIST,
        {
            "emnist-letters-train-images-idx3-ubyte": train,
            "emnist-letters-train-labels-idx1-ubyte": labels,
            "emnist-letters-test-images-idx3-ubyte": test,
            "emnist-letters-test-labels-idx1-ubyte": labels[:26],
        },
    )
    found = fetch("EMNIST", split="letters")

    for part, written in (("train", train), ("test", test)):
        images, numbers = found[part]  # type: ignore[index]
        assert all(np.array_equal(image[0], file.T) for image, file in zip(images, written, strict=True))
        assert images.flags.c_contiguous
        assert np.array_equal(numbers, np.arange(len(written)) % 26)


def test_both_splits_are_renumbered_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = (np.arange(52) % 26 + 1).astype(np.uint8)
    serve(
        monkeypatch,
        torchvision.datasets.EMNIST,
        {
            "emnist-letters-train-images-idx3-ubyte": pictures(52, 0),
            "emnist-letters-train-labels-idx1-ubyte": labels,
            "emnist-letters-test-images-idx3-ubyte": pictures(25, 1),
            "emnist-letters-test-labels-idx1-ubyte": labels[1:26],  # no letter A
        },
    )

    assert fetch("EMNIST", split="letters")["test"][1].tolist() == list(range(1, 26))


def test_the_label_of_qmnist_is_the_first_of_its_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = np.random.default_rng(0).integers(0, 60_000, (30, 8)).astype(np.int32)
    notes[:, 0] = np.arange(30) % 10
    serve(
        monkeypatch,
        torchvision.datasets.QMNIST,
        {
            "qmnist-train-images-idx3-ubyte": pictures(30, 0),
            "qmnist-train-labels-idx2-int": notes,
            "qmnist-test-images-idx3-ubyte": pictures(20, 1),
            "qmnist-test-labels-idx2-int": notes[10:],
        },
    )
    found = fetch("QMNIST")

    assert np.array_equal(found["train"][0], pictures(30, 0)[:, None])
    assert np.array_equal(found["train"][1], np.arange(30) % 10)
    assert np.array_equal(found["test"][1], np.arange(20) % 10)


def test_mirrors_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [CLOSED, CLOSED])
    before = socket.getdefaulttimeout()

    with pytest.raises(UnreachableError, match=r"^torchvision could not download MNIST \(.+\)$"):
        fetch("MNIST")
    assert socket.getdefaulttimeout() == before
    assert capfd.readouterr() == ("", "")


def test_an_archive_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets.EMNIST, "url", f"{CLOSED}gzip.zip")

    with pytest.raises(UnreachableError, match=r"^torchvision could not download EMNIST \(.+\)$"):
        fetch("EMNIST", split="digits")


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The address of a server on this machine that gives every request this answer."""

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def collected() -> Iterator[None]:
    """What urllib leaves open after an error is closed before the tests of the next file."""
    yield
    gc.collect()


@pytest.mark.usefixtures("collected")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore:Exception ignored:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 404 Not Found\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\nContent-Length: 500\r\n\r\nhello",
        b"",
        b"not HTTP at all\r\n\r\n",
    ],
    ids=["not_found", "another_file", "cut_off", "nothing", "another_protocol"],
)
def test_mirrors_that_answer_something_else(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(answer) as mirror:
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [mirror])
        with pytest.raises(UnreachableError, match=r"^torchvision could not download MNIST"):
            fetch("MNIST")
