"""From the bytes of an image to what a network was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Preprocess(nn.Module):
    """(byte / 255 - mean) / deviation a channel, as byte * scale - shift in float32, which is how trainings do it."""

    scale: Tensor
    shift: Tensor

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        means, deviations = torch.tensor(mean).view(1, -1, 1, 1), torch.tensor(deviation).view(1, -1, 1, 1)
        self.register_buffer("scale", 1 / (255 * deviations))
        self.register_buffer("shift", means / deviations)

    def forward(self, images: Tensor) -> Tensor:
        """uint8 (N, C, H, W) in, float32 of that shape out."""
        return images * self.scale - self.shift

    @property
    def scales(self) -> list[float]:
        """A channel's factor."""
        return self.scale.flatten().tolist()

    @property
    def shifts(self) -> list[float]:
        """What is taken off a channel at last."""
        return self.shift.flatten().tolist()
