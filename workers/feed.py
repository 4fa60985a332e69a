"""What the steps of a training are fed with: an epoch as it is drawn, and buffers on the device that it goes through.

All draws come from the CPU, so that a seed means the same batches and the same maps wherever it trains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from workers.augmentation import maps
from workers.recipe import Recipe
from workers.schedule import rates, steps_per_epoch

IMAGES = 8192
"""In the buffers at once, about: enough that filling them costs little, few enough that they take little memory."""
CHECKED = 1000
"""Images of a step of validation."""


@dataclass(frozen=True)
class Epoch:
    """What one epoch shows, step by step."""

    places: Tensor
    """int64 (steps * batch,): which images."""
    maps: Tensor
    """float32 (steps * batch, 6): the affine map of each."""
    rates: Tensor
    """float32 (steps, 2): the learning rates of Muon and of Adam."""

    def to(self, device: torch.device) -> Epoch:
        """The same on a device."""
        return Epoch(self.places.to(device), self.maps.to(device), self.rates.to(device))

    def stretches(self, images: int) -> Iterator[Epoch]:
        """The epoch in parts of so many images, which must be whole steps; the last may have fewer."""
        steps = images * len(self.rates) // len(self.places)
        sizes = ((self.places, images), (self.maps, images), (self.rates, steps))
        return (Epoch(*part) for part in zip(*(torch.split(whole, size) for whole, size in sizes), strict=True))


def draw(train: Tensor, recipe: Recipe, generator: torch.Generator, number: int) -> Epoch:
    """Epoch `number` (from 0) of a training on the images at the places `train`, all on the CPU.

    It takes from `generator` what Batches.shuffled takes for the same epoch.
    """
    batch, steps = min(recipe.batch, len(train)), steps_per_epoch(len(train), recipe.batch)
    order = train[torch.randperm(len(train), generator=generator)]
    drawn = torch.empty(steps, 5, batch).uniform_(-1, 1, generator=generator)
    return Epoch(
        places=order[: steps * batch],
        maps=maps(drawn, recipe.augmentation).flatten(0, 1),
        rates=rates(recipe, steps, number),
    )


class Feed:
    """Buffers for a stretch of steps. Steps read them by a place that is on the device too, so that none differs from
    another in anything that a CUDA graph would not see."""

    def __init__(self, steps: int, batch: int, image: tuple[int, ...], answer: tuple[int, ...], device: str) -> None:
        rows = min(steps, max(1, IMAGES // batch))
        self.images = torch.zeros(rows, batch, *image, device=device)
        """Augmented and normalised: float32 (steps, batch, C, H, W)."""
        self.answers = torch.zeros(rows, batch, *answer, device=device)
        """What they are to be taken for: float32 (steps, batch, ...)."""
        self.rates = torch.zeros(rows, 2, device=device)
        """Learning rates."""
        self._step = torch.zeros(1, dtype=torch.int64, device=device)

    def __len__(self) -> int:
        """Steps that it has room for."""
        return len(self.images)

    @property
    def batch(self) -> int:
        """Images of a step."""
        return self.images.shape[1]

    def fill(self, images: Tensor, answers: Tensor, rates: Tensor | None = None) -> None:
        """Put in a stretch of whole steps: images (N, C, H, W), an answer for each, rates (steps, 2)."""
        steps = len(images) // self.batch
        self.images[:steps].copy_(images.view_as(self.images[:steps]))
        self.answers[:steps].copy_(answers.view_as(self.answers[:steps]))
        if rates is not None:
            self.rates[:steps].copy_(rates)
        self.rewind()

    def rewind(self) -> None:
        """Begin again with the first step of the stretch."""
        self._step.zero_()

    def take(self) -> tuple[Tensor, Tensor, Tensor]:
        """Images (batch, C, H, W), answers (batch, ...) and rates (2,) of the next step."""
        buffers = (self.images, self.answers, self.rates)
        images, answers, rates = (buffer.index_select(0, self._step).squeeze(0) for buffer in buffers)
        self._step.add_(1)
        return images, answers, rates


@lru_cache(maxsize=8)
def shared_feed(steps: int, batch: int, image: tuple[int, ...], answer: tuple[int, ...], device: str) -> Feed:
    """The one Feed of this size in this process: networks that train one after another go through the same buffers."""
    return Feed(steps, batch, image, answer, device)
