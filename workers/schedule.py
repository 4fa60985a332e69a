"""How many steps a training takes, and the learning rate of each.

The triangle of Smith and Topin, "Super-convergence" (2018): up to a peak and down to nothing.
"""

from __future__ import annotations


def steps_per_epoch(images: int, batch: int) -> int:
    """Full batches in an epoch, at least one."""
    return max(1, images // batch)


def triangle(done: float, warmup: float) -> float:
    """The learning rate as a fraction of its peak, when the fraction `done` of all steps is done; both from 0 to 1."""
    return done / warmup if done < warmup else (1 - done) / (1 - warmup) if done < 1 else 0.0
