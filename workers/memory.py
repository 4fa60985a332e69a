"""How much of a GPU's memory one training takes, as an upper estimate made before there is a network."""

from __future__ import annotations

from math import prod

from workers.dataset import DataSet

_CONTEXT = 600 * 2**20
"""Bytes that CUDA and its libraries take for each process, whatever it does."""
_CHANNELS = 64
"""Channels at full resolution of a network that is larger than those that searches find."""
_COPIES = 6
"""Activations, their gradients, and what batch norm and augmentation keep beside them."""


def training_bytes(data: DataSet, batch: int) -> int:
    """Bytes of one process that trains on `data` with `batch` images a step; the images stay on the GPU."""
    channels, height, width = data.image
    activations = batch * max(channels, _CHANNELS) * height * width * 4 * _COPIES
    return _CONTEXT + 2 * prod(data.images.shape) + activations
