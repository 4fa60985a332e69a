"""How one training of one network goes: its epochs, and what they come to."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


class TrainingError(Exception):
    """A training cannot go on; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """A training that ran to its end."""

    losses: tuple[float, ...]
    """Mean cross-entropy of each epoch's training steps, smoothed labels included."""
    accuracy: float | None
    """On the fold held out, by the weights that the network has now; a fraction. None if none is held out."""

    @property
    def epochs(self) -> int:
        """That were run."""
        return len(self.losses)


def run_epoch(
    batches: Iterable[tuple[Tensor, Tensor]], step: Callable[[Tensor, Tensor], Tensor], deadline: float
) -> float:
    """Take a step for each batch of images and labels; the mean of the losses that the steps return.

    TrainingError if that is not finite, or if time.monotonic() passes `deadline`.
    """
    losses = []
    for images, labels in batches:
        if time.monotonic() > deadline:
            raise TrainingError("timeout")
        losses.append(step(images, labels))
    return mean_loss(torch.stack(losses))


def mean_loss(losses: Tensor) -> float:
    """The mean of an epoch's losses; TrainingError if that is not finite."""
    loss = losses.mean().item()
    if not math.isfinite(loss):
        raise TrainingError(f"the training loss became {loss}")
    return loss


def finite(accuracy: float) -> float:
    """An accuracy as it is; TrainingError for the NaN that stands for logits that are not finite."""
    if math.isnan(accuracy):
        raise TrainingError("the trained network puts out values that are not finite")
    return accuracy
