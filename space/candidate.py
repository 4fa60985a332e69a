"""One architecture proposed in one study, with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from statistics import fmean


class State(StrEnum):
    """Where a candidate stands."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    """Trained to the top rung."""
    PRUNED = "pruned"
    """Trained, but not good enough at a lower rung to go on."""
    OVER_BUDGET = "over budget"
    """Counted and never trained."""
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """One fresh training of a candidate, on a fold that played no part in choosing it."""

    fold: int
    seed: int
    accuracy: float
    """On that fold; a fraction."""
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A value read from a study; it does not change with the study."""

    number: int
    state: State
    origin: str
    """Who proposed it: the sampler, a published network's name, ..."""
    line: str = ""
    """The architecture in the one-line notation; empty until it is known."""
    parameters: int = 0
    macs: int = 0
    peak_activation_bytes: int = 0
    seed: int = 0
    rungs: dict[int, float] = field(default_factory=dict)
    """Validation accuracy, a fraction, by the epochs of the training."""
    seconds: float = 0.0
    """Training and validation, all rungs together."""
    reason: str = ""
    """Why it was pruned or failed."""
    interrupted: bool = False
    """Whether it failed through no fault of its own, because its run ended."""
    confirmations: tuple[Confirmation, ...] = ()

    @property
    def is_trained(self) -> bool:
        """Whether its training is over, and not because its run was."""
        return self.state in (State.COMPLETE, State.PRUNED) or (self.state == State.FAILED and not self.interrupted)

    @property
    def epochs(self) -> int:
        """Epochs of its longest training; 0 if it has none."""
        return max(self.rungs, default=0)

    @property
    def accuracy(self) -> float | None:
        """Validation accuracy after its longest training."""
        return self.rungs[self.epochs] if self.rungs else None

    @property
    def confirmed_accuracy(self) -> float | None:
        """Mean over its confirmations."""
        if not self.confirmations:
            return None
        return fmean(confirmation.accuracy for confirmation in self.confirmations)
