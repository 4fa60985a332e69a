"""How a candidate is trained."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Bounds of the random affine map drawn for each image; every quantity is uniform within plus or minus its bound."""

    rotation: float = 8.0
    """Degrees."""
    scale: float = 0.08
    """Fraction of the image's size."""
    shift: float = 2 / 28
    """Fraction of the image's side."""
    shear: float = 0.1
    """Pixels sideways for each pixel down."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One complete training, from fresh weights to the end of its learning rate schedule."""

    epochs: int
    """Passes over the training images."""
    batch: int = 128
    """Images a step."""
    peak: float = 0.02
    """Highest learning rate (AdamW), reached after the warm-up."""
    warmup: float = 0.2
    """Fraction of the steps in which the learning rate climbs to its peak; then it falls to nearly nothing by cosine."""
    decay: float = 1e-4
    """Weight decay (AdamW)."""
    smoothing: float = 0.05
    """Label smoothing: probability spread evenly over all classes."""
    augmentation: Augmentation = field(default_factory=Augmentation)
