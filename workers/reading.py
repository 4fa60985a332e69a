"""What a network takes test images for. Nothing else reads them, and nothing is chosen by what it finds."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from space.architecture import Architecture
from space.building import build
from space.confusion import Confusion
from workers.dataset import DataSet
from workers.numerics import Numerics
from workers.training import batches


@torch.no_grad()
def confusion(architecture: Architecture, weights: Mapping[str, Tensor], test: DataSet, training: DataSet) -> Confusion:
    """Count what a network with these weights takes each test image for, computed in float32 on the CPU.

    Images are normalised by the moments of the training images: those of the test images are not ours to know.
    """
    network = build(architecture)
    network.load_state_dict(weights)
    network.eval()
    normalised = DataSet(
        test.name, test.images, test.labels, training.classes, training.mean, training.deviation, test.checksum
    )
    everything = batches(normalised, None, Numerics(bfloat16=False, channels_last=False), torch.device("cpu"))
    counts = torch.zeros(training.classes, training.classes, dtype=torch.int64)
    for images, labels in everything.in_order(everything.train):
        taken_for = network(images).argmax(dim=1)
        counts.index_put_((labels, taken_for), torch.ones_like(labels), accumulate=True)
    return tuple(tuple(row) for row in counts.tolist())
