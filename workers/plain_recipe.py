"""How networks are usually trained: one optimiser, one learning rate schedule, perhaps an early stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workers.recipe import Augmentation

OptimiserName = Literal["adam", "sgd"]
Measure = Literal["accuracy", "loss"]


@dataclass(frozen=True, kw_only=True)
class StepDecay:
    """A learning rate that falls by a factor every few epochs."""

    factor: float
    every: int
    """Epochs."""
    floor: float = 0.0
    """The lowest learning rate."""


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """A learning rate that falls by a factor when validation has not improved for a while."""

    patience: int
    """Epochs without improvement, after which it falls; then they are counted anew."""
    factor: float = 0.5
    least: float = 1e-4
    """By how much the measure must improve to count, as in Keras."""


@dataclass(frozen=True, kw_only=True)
class PlainRecipe:
    """One complete training with the same optimiser for all parameters; the loss is cross-entropy."""

    optimiser: OptimiserName
    learning_rate: float
    """At the beginning."""
    momentum: float = 0.0
    """Of SGD."""
    weight_decay: float = 0.0
    """Added to the gradient, as a multiple of the parameters."""
    batch: int
    """Images a step; the last step of an epoch takes what is left."""
    epochs: int
    """Passes over the training images, at most."""
    schedule: StepDecay | Plateau | None = None
    """None to keep the learning rate."""
    measure: Measure = "accuracy"
    """Of the validation fold: what a plateau, an early stop and the best epoch are judged by."""
    early_stop: int | None = None
    """Epochs without improvement, after which the training ends; None to go on to the last."""
    restore_best: bool = False
    """Whether to end with the weights of the epoch that was best in validation, and not with the last ones."""
    augmentation: Augmentation | None = None
    """None to show the images as they are."""

    @property
    def validates(self) -> bool:
        """Whether what comes next depends on validation after each epoch."""
        return self.restore_best or self.early_stop is not None or isinstance(self.schedule, Plateau)
