"""How a candidate is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Bounds of the random affine map of each image; every quantity is uniform within plus or minus its bound."""

    rotation: float = 5.0
    """Degrees."""
    scale: float = 0.05
    """Fraction of the image's size."""
    shift: float = 1 / 28
    """Fraction of the image's side."""
    shear: float = 0.05
    """Pixels sideways for each pixel down."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One complete training, from fresh weights to the end of its learning rate schedule."""

    epochs: int
    """Passes over the training images."""
    batch: int = 128
    """Images a step."""
    peak: float = 0.1
    """Highest learning rate of the weights of convolutions and dense layers (Muon)."""
    momentum: float = 0.9
    """Nesterov's, of Muon."""
    other_peak: float = 0.02
    """Highest learning rate of biases and batch norms (Adam)."""
    warmup: float = 0.2
    """Fraction of the steps in which the learning rates climb to their peaks; then they fall to 0."""
    smoothing: float = 0.05
    """Label smoothing: probability spread evenly over all classes."""
    augmentation: Augmentation = field(default_factory=Augmentation)


_BATCHES = (16, 128)
_STEPS = 390
"""Steps an epoch that MNIST's 50,000 images make in the largest batches."""

_SMALL = 2500
"""Parameters of networks that are too small for label smoothing: docs/experiments.md."""


def default_recipe(epochs: int, images: int, budget: int | None = None) -> Recipe:
    """The recipe for `images` training images and networks of at most `budget` parameters, if that is known.

    Where images are few, smaller batches make enough steps an epoch. Small networks underfit, and are not smoothed.
    """
    smallest, largest = _BATCHES
    recipe = Recipe(epochs=epochs, batch=max(smallest, min(largest, images // _STEPS)))
    return recipe if budget is None or budget > _SMALL else replace(recipe, smoothing=0.0)


def from_json(value: Mapping[str, Any]) -> Recipe:
    """The Recipe that `dataclasses.asdict` wrote."""
    return Recipe(**{**value, "augmentation": Augmentation(**value["augmentation"])})
