"""One architecture proposed in one study, with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from math import sqrt
from statistics import fmean, mean, stdev
from typing import Literal

from space.confusion import Confusion

PrunedWhat = Literal["weights", "filters"]


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
class Run:
    """One training of a candidate to the top rung, on the fold that candidates are chosen by."""

    seed: int
    accuracy: float
    """On that fold; a fraction."""
    seconds: float | None
    """None of a candidate's first one, which is counted with its lower rungs."""


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """One fresh training of a candidate, on a fold that played no part in choosing it."""

    fold: int
    seed: int
    accuracy: float
    """On that fold; a fraction."""
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Verification:
    """One fresh training of a candidate on all training images, and the test set read once at its end."""

    place: int
    """Which of the candidate's verifications of that length: 0, 1, ..."""
    seed: int
    accuracy: float
    """On the test images, by the weights of the last epoch; a fraction."""
    confusion: Confusion
    """Test images by their class (row) and the class that they were taken for (column)."""
    epochs: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class PrunedFrom:
    """How a candidate was made of another one."""

    parent: int
    """Number of the candidate that was pruned."""
    what: PrunedWhat
    """Single weights of convolutions, which are held at zero, or whole filters, which leaves a smaller architecture."""
    keep: float
    """Share that is left after the last round: of the convolutions' weights, or of all parameters."""
    rounds: int
    round: int
    """After which of the rounds this is: 1, 2, ..."""

    @property
    def is_masked(self) -> bool:
        """Whether it is the parent's architecture with weights held at zero, and not a smaller one."""
        return self.what == "weights"

    @property
    def stage(self) -> int:
        """After which stage of its training its weights are there: 0 for those of a training without pruning."""
        return self.round if self.is_masked else 0

    def __str__(self) -> str:
        return f"pruned {self.what}: #{self.parent}, round {self.round} of {self.rounds} to {100 * self.keep:.4g} %"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A value read from a study; it does not change with the study."""

    number: int
    state: State
    origin: str
    """Who proposed it: the sampler, a published network's name, ..."""
    line: str = ""
    """The architecture in the one-line notation; empty until it is known."""
    identity: str = ""
    """The same for all candidates that are this network, however it is written; empty for what pruning has made."""
    parameters: int = 0
    """Trainable scalars; those that are not held at zero."""
    macs: int = 0
    peak_activation_bytes: int = 0
    seed: int = 0
    rungs: dict[int, float] = field(default_factory=dict)
    """Validation accuracy, a fraction, by the epochs of the training."""
    losses: dict[int, tuple[float, ...]] = field(default_factory=dict)
    """Mean training loss of each epoch, by the epochs of the training."""
    seconds: float = 0.0
    """Training and validation, all rungs together."""
    begun: datetime | None = None
    """When it was asked, with a time zone; None if that is not known."""
    ended: datetime | None = None
    """When it was told; None while it is not."""
    reason: str = ""
    """Why it was pruned or failed."""
    interrupted: bool = False
    """Whether it failed through no fault of its own, because its run ended."""
    repeats: tuple[Run, ...] = ()
    """What came of its other seeds, in the order of their places."""
    confirmations: tuple[Confirmation, ...] = ()
    verifications: tuple[Verification, ...] = ()
    """Those of its longest ones; which length counts must not be chosen by what came of it."""
    shorter: tuple[Verification, ...] = ()
    """Verifications that do not count, since longer ones followed."""
    pruning: PrunedFrom | None = None
    """None for what was searched; else `parameters` are those that are left."""

    @property
    def readings(self) -> tuple[Verification, ...]:
        """All its verifications, each of which has read the test set once."""
        return (*self.shorter, *self.verifications)

    @property
    def is_trained(self) -> bool:
        """Whether its training is over, and not because its run was."""
        return self.state in (State.COMPLETE, State.PRUNED) or (self.state == State.FAILED and not self.interrupted)

    @property
    def epochs(self) -> int:
        """Epochs of its longest training; 0 if it has none."""
        return max(self.rungs, default=0)

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """All its trainings to the top rung that validate on the fold of the search, its first one first."""
        if self.state != State.COMPLETE or not self.rungs:
            return ()
        return (Run(seed=self.seed, accuracy=self.rungs[self.epochs], seconds=None), *self.repeats)

    @cached_property
    def mean(self) -> float | None:
        """Of its runs; None without any."""
        runs = self.runs
        if len(runs) < 2:  # nearly always; an exact mean takes its time
            return runs[0].accuracy if runs else None
        return mean(run.accuracy for run in runs)

    @property
    def standard_error(self) -> float | None:
        """Of that mean, estimated from the runs themselves; None with fewer than two."""
        if len(self.runs) < 2:
            return None
        return stdev(run.accuracy for run in self.runs) / sqrt(len(self.runs))

    @property
    def accuracy(self) -> float | None:
        """Validation accuracy after its longest training; the mean where that was done with several seeds."""
        if self.repeats:
            return self.mean
        return self.rungs[self.epochs] if self.rungs else None

    @property
    def confirmed_accuracy(self) -> float | None:
        """Mean over its confirmations."""
        if not self.confirmations:
            return None
        return fmean(confirmation.accuracy for confirmation in self.confirmations)

    @property
    def verified_accuracy(self) -> float | None:
        """Mean over its verifications: on the test images."""
        if not self.verifications:
            return None
        return mean(verification.accuracy for verification in self.verifications)
