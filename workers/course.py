"""How one training of one network went."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Course:
    """A training that ran to its end."""

    epochs: int
    """That were run."""
    loss: float
    """Mean cross-entropy of the last epoch's training steps, smoothed labels included."""
    accuracy: float | None
    """On the fold held out, by the weights that the network has now; a fraction. None if none is held out."""
