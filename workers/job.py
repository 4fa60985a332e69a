"""What a worker is asked to do, and what it answers. Failures cross processes as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

JobKind = Literal["candidate", "confirmation"]


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


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A training that ran to its end."""

    epochs: int
    accuracy: float
    """On the validation fold, by the weights of the last epoch; a fraction."""
    loss: float
    """Mean cross-entropy of the last epoch's training steps, smoothed labels included."""
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A training that did not."""

    epochs: int
    reason: str


Outcome = Trained | Failed


def to_result(outcome: Outcome) -> dict[str, Any]:
    """A plain dict, as Ray Tune reports it."""
    return {"outcome": type(outcome).__name__, **asdict(outcome)}


def from_result(result: dict[str, Any]) -> Outcome:
    """The outcome that `to_result` wrote, whatever Ray Tune has added to it."""
    kind: type[Trained] | type[Failed] = Trained if result["outcome"] == "Trained" else Failed
    return kind(**{name: result[name] for name in kind.__dataclass_fields__})
