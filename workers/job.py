"""What a worker is asked to do, and what it answers. Failures cross processes as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from workers.plain_recipe import PlainRecipe
from workers.recipe import Recipe

JobKind = Literal["candidate", "repeat", "confirmation"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training of one architecture, from fresh weights to validation."""

    kind: JobKind
    candidate: int
    """Number of the candidate in its study."""
    line: str
    """The architecture, in the one-line notation."""
    epochs: int
    fold: int
    """Fold held out for validation."""
    seed: int
    """Of weights, order, augmentation and dropout."""
    timeout: float | None = None
    """Seconds after which it has failed."""
    wants_weights: bool = False
    """Whether the weights are to come back with the result."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A training that ran to its end."""

    losses: tuple[float, ...]
    """Mean cross-entropy of each epoch's training steps, smoothed labels included."""
    accuracy: float
    """On the validation fold, by the weights of the last epoch; a fraction."""
    seconds: float
    weights: bytes | None = None
    """The `state_dict`, as workers.weights packs it, where it is wanted."""

    @property
    def epochs(self) -> int:
        """That were run."""
        return len(self.losses)


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A training that did not."""

    epochs: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Pruning:
    """Rounds of global magnitude pruning, each followed by a training from the initial weights.

    Frankle and Carbin, "The Lottery Ticket Hypothesis" (2019).
    """

    keep: float
    """Share of the convolution weights that is left at the end."""
    rounds: int


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One training of one architecture whose weights are wanted, and those of each round of pruning after it."""

    key: str
    """Its name among the trainings it is done with."""
    line: str
    """The architecture, in the one-line notation."""
    recipe: Recipe | PlainRecipe
    seed: int
    """Of weights, order, augmentation and dropout."""
    fold: int | None = None
    """Fold held out for validation; None to train on all training images."""
    pruning: Pruning | None = None
    timeout: float | None = None
    """Seconds after which it has failed."""

    @property
    def epochs(self) -> int:
        """Of one round, at most."""
        return self.recipe.epochs


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A network as one round leaves it."""

    weights: bytes
    """Its `state_dict`, as workers.weights packs it; what is pruned is 0."""
    epochs: int
    """That were run."""
    loss: float
    """Mean cross-entropy of the last epoch's training steps, smoothed labels included."""
    accuracy: float | None
    """On the fold held out; a fraction. None if none was."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A Fit that ran to its end."""

    stages: tuple[Stage, ...]
    """The dense network, then one of each round of pruning."""
    seconds: float


Task = Job | Fit
Outcome = Trained | Failed
"""Of a Job; that of a Fit is Fitted | Failed."""


def to_result(outcome: Trained | Fitted | Failed) -> dict[str, Any]:
    """A plain dict, as Ray Tune reports it."""
    return {"outcome": outcome}


def from_result(result: dict[str, Any]) -> Trained | Fitted | Failed:
    """The outcome that `to_result` wrote, whatever Ray Tune has added to it."""
    outcome = result["outcome"]
    assert isinstance(outcome, Trained | Fitted | Failed)
    return outcome
