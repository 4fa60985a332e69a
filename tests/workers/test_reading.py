from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from space.building import build
from space.confusion import accuracy
from space.notation import read
from workers.dataset import DataSet, make
from workers.reading import confusion

NETWORK = read("1x8x8-4c3pnr-P2-3c3p-G")


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    return dict(build(NETWORK).state_dict())


def by_hand(weights: dict[str, torch.Tensor], test: DataSet, training: DataSet) -> list[int]:
    network = build(NETWORK)
    network.load_state_dict(weights)
    images = (torch.from_numpy(test.images).float() / 255 - training.mean[0]) / training.deviation[0]
    return [int(taken) for taken in network.eval()(images).argmax(dim=1)]


def test_every_image_is_counted_once_by_its_class_and_what_it_is_taken_for(
    few: DataSet, weights: dict[str, torch.Tensor]
) -> None:
    found = confusion(NETWORK, weights, few, few)
    expected = np.zeros((3, 3), dtype=int)
    np.add.at(expected, (few.labels, np.array(by_hand(weights, few, few))), 1)
    assert found == tuple(map(tuple, expected.tolist()))
    assert sum(map(sum, found)) == len(few)
    assert accuracy(found) == np.trace(expected) / len(few)


def test_images_are_normalised_as_those_that_were_trained_on(few: DataSet, weights: dict[str, torch.Tensor]) -> None:
    dark = make("dark", few.images // 4, few.labels, "1" * 64)
    taken = by_hand(weights, dark, few)
    assert taken != by_hand(weights, dark, dark)
    found = confusion(NETWORK, weights, dark, few)
    assert [sum(row[place] for row in found) for place in range(3)] == [taken.count(place) for place in range(3)]


def test_a_class_that_no_test_image_has_keeps_its_row(few: DataSet, weights: dict[str, torch.Tensor]) -> None:
    chosen = few.labels < 2
    some = replace(few, images=few.images[chosen], labels=few.labels[chosen], classes=2)
    found = confusion(NETWORK, weights, some, few)
    assert len(found) == 3
    assert found[2] == (0, 0, 0)
