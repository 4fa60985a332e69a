"""How many steps a training takes, and the learning rate of each.

The triangle of Smith and Topin, "Super-convergence" (2018): up to a peak and down to nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor

from workers.recipe import Recipe


def steps_per_epoch(images: int, batch: int) -> int:
    """Full batches in an epoch, at least one."""
    return max(1, images // batch)


def triangle(done: float, warmup: float) -> float:
    """The learning rate as a fraction of its peak, when the fraction `done` of all steps is done; both from 0 to 1."""
    return done / warmup if done < warmup else (1 - done) / (1 - warmup) if done < 1 else 0.0


def rates(recipe: Recipe, steps: int, epoch: int) -> Tensor:
    """Learning rates of Muon and of Adam in the steps of an epoch (from 0) of so many steps: float (steps, 2)."""
    done = [(epoch * steps + step + 1) / (recipe.epochs * steps + 1) for step in range(steps)]
    heights = torch.tensor([triangle(share, recipe.warmup) for share in done])
    return heights.outer(torch.tensor([recipe.peak, recipe.other_peak]))
