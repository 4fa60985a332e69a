from __future__ import annotations

from dataclasses import replace

import numpy as np

from workers.dataset import DataSet, make
from workers.memory import training_bytes

GIB = 2**30


def blank(count: int, *image: int) -> DataSet:
    """So many black images of this shape, in ten classes."""
    labels = np.arange(count, dtype=np.int64) % 10
    one = make("blank", np.zeros((1, *image), dtype=np.uint8), labels, "0" * 64)
    return replace(one, images=np.broadcast_to(one.images, (count, *image)))


def test_a_training_on_mnist_takes_about_a_gibibyte() -> None:
    mnist = blank(60_000, 1, 28, 28)
    assert 0.6 * GIB < training_bytes(mnist, 128) < 4 * GIB


def test_it_is_a_whole_number_of_bytes(few: DataSet) -> None:
    assert isinstance(training_bytes(few, 16), int)


def test_larger_batches_take_more(few: DataSet) -> None:
    needed = [training_bytes(few, batch) for batch in (1, 2, 16, 128, 1024)]
    assert needed == sorted(set(needed))


def test_larger_images_take_more() -> None:
    sizes = [(1, 8, 8), (1, 8, 16), (1, 28, 28), (1, 32, 32), (3, 32, 32)]
    needed = [training_bytes(blank(100, *image), 128) for image in sizes]
    assert needed == sorted(set(needed))


def test_more_images_take_more() -> None:
    needed = [training_bytes(blank(count, 1, 8, 8), 128) for count in (10, 100, 10_000)]
    assert needed == sorted(set(needed))


def test_all_images_and_a_batch_in_floating_point_have_room() -> None:
    images = blank(2_000, 3, 32, 32)
    assert training_bytes(images, 1_000) > images.images.nbytes + 4 * images.images[:1_000].size
