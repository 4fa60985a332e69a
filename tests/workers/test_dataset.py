from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.dataset import FOLDS, DataSet, make, split

FIRST_OF_FOLD_0 = [2, 13, 14, 25, 31, 37, 38, 42, 44, 51, 53, 55]
FOLDS_OF_600 = "8993b0a4c1a92c20acf0009a2661313b4516783c93623a2fec6189b850f9c82c"
"""SHA-256 of all folds of 600 labels. Results of old and new studies compare only as long as it stays."""


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=200))
def test_folds_are_stratified_disjoint_and_cover_everything(classes: list[int]) -> None:
    labels = np.array(classes, dtype=np.int64)
    places = np.arange(len(labels))
    held_out = [split(labels, fold).validation for fold in range(FOLDS)]

    assert np.array_equal(np.sort(np.concatenate(held_out)), places)
    for fold, validation in enumerate(held_out):
        parts = split(labels, fold)
        assert np.array_equal(parts.train, np.setdiff1d(places, validation))
        assert np.array_equal(parts.validation, np.unique(validation))
    for label in np.unique(labels):
        sizes = [int((labels[validation] == label).sum()) for validation in held_out]
        assert max(sizes) - min(sizes) <= 1
    sizes = [len(validation) for validation in held_out]
    assert max(sizes) - min(sizes) <= 1


def test_the_same_labels_give_the_same_folds_on_every_machine() -> None:
    labels = np.arange(600, dtype=np.int64) % 10
    places = np.concatenate([split(labels, fold).validation for fold in range(FOLDS)])

    assert split(labels, 0).validation[:12].tolist() == FIRST_OF_FOLD_0
    assert hashlib.sha256(places.astype("<i8").tobytes()).hexdigest() == FOLDS_OF_600


def test_folds_are_shuffled() -> None:
    validation = split(np.zeros(600, dtype=np.int64), 0).validation

    assert not np.array_equal(validation, np.arange(0, 600, FOLDS))
    assert len(set(np.diff(validation).tolist())) > 3


def test_a_sixth_of_mnist_is_10_000_images() -> None:
    parts = split(np.arange(60_000, dtype=np.int64) % 10, 0)

    assert (len(parts.train), len(parts.validation)) == (50_000, 10_000)


def test_moments_are_those_of_each_channel() -> None:
    images = np.random.default_rng(1).integers(0, 256, (20, 3, 5, 4)).astype(np.uint8)
    images[:, 1] //= 2
    data = make("colours", images, np.arange(20, dtype=np.int64) % 4, "0" * 64)

    assert data.mean == pytest.approx((images / 255).mean(axis=(0, 2, 3)).tolist())
    assert data.deviation == pytest.approx((images / 255).std(axis=(0, 2, 3)).tolist())


def test_shape_and_classes_are_read_off_the_arrays(few: DataSet) -> None:
    assert (len(few), few.image, few.classes) == (72, (1, 8, 8), 3)
