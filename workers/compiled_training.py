"""Complete trainings by whole compiled steps: what training.py and plain_training.py do, batch for batch."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor

from workers.augmentation import coefficients
from workers.course import TrainingError
from workers.engine import Engine
from workers.recipe import Augmentation

_STEPS = 32
"""Between two looks at the clock."""


def take_epoch(
    engine: Engine,
    order: Tensor,
    rates: Tensor,
    batch: int,
    augmentation: Augmentation | None,
    generator: torch.Generator,
    deadline: float,
) -> Tensor:
    """A step for each batch of `order` (int64 places); the loss of each.

    `rates` is float (steps, 2), as `Engine.train` takes it; a last batch that is not full is taken if there is a rate
    for it. Maps are drawn from `generator` in the order in which the other engine draws them. TrainingError if
    time.monotonic() passes `deadline`.
    """
    losses = []
    for first, count, size in _pieces(len(order), len(rates), batch):
        if time.monotonic() > deadline:
            raise TrainingError("timeout")
        places = order[first * batch :][: count * size]
        maps = None
        if augmentation is not None:
            maps = torch.cat([coefficients(size, augmentation, generator) for _ in range(count)])
        losses.append(engine.train(places, size, maps, rates[first : first + count]))
    return torch.cat(losses)


def _pieces(images: int, steps: int, batch: int) -> Iterator[tuple[int, int, int]]:
    """First step, number of steps and images of each, for pieces of an epoch."""
    full = min(steps, images // batch)
    for first in range(0, full, _STEPS):
        yield first, min(_STEPS, full - first), batch
    if full < steps:
        yield full, 1, images - full * batch
