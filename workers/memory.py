"""How much of a GPU's memory one training takes, as an upper estimate made before there is a network."""

from __future__ import annotations

from math import prod

from workers.dataset import DataSet
from workers.feed import CHECKED, IMAGES

_CONTEXT = 600 * 2**20
"""Bytes that CUDA and its libraries take for each process, whatever it does."""
_CHANNELS = 64
"""Channels at full resolution of a network that is larger than those that searches find."""
_COPIES = 6
"""Activations, their gradients, and what batch norm and augmentation keep beside them."""
_LOOKED_AT = 2
"""A layer's input and output, in validation."""
_MADE, _GRIDS = 4, 6
"""Copies of the images that are augmented at once, and of a channel for the places that their pixels come from."""


def training_bytes(data: DataSet, batch: int) -> int:
    """Bytes of one process that trains on `data` with `batch` images a step; the images stay on the GPU."""
    channels, height, width = data.image
    pixels = height * width * 4
    activations = (batch * _COPIES + CHECKED * _LOOKED_AT) * max(channels, _CHANNELS) * pixels
    feed = IMAGES * (_MADE * channels + _GRIDS) * pixels
    return _CONTEXT + 2 * prod(data.images.shape) + activations + feed
