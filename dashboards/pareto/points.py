"""The points of a Pareto picture: accuracies of candidates and of published networks, with what each network costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from dashboards.text import percent
from space.candidate import Candidate, State, Verification
from space.published import Published
from space.statistics import Interval, Summary, proportion_interval
from space.trail import Trail, winners


class Cost(StrEnum):
    """What a network is small by."""

    PARAMETERS = "parameters"
    MACS = "macs"
    PEAK = "peak-bytes"

    @property
    def axis_title(self) -> str:
        """What an axis of it says."""
        return {"parameters": "parameters", "macs": "MACs per image", "peak-bytes": "peak activation bytes (float32)"}[
            self
        ]


class Kind(StrEnum):
    """What an accuracy is, by the candidate's state and by who measured it on which images."""

    COMPLETE = "trained to the end"
    PRUNED = "pruned"
    RUNNING = "in training"
    FAILED = "failed"
    SLIMMED = "pruned network"
    VERIFIED = "verified"
    PUBLISHED = "published"

    @property
    def is_test(self) -> bool:
        """Whether it is an accuracy on test images; else it is one on validation images."""
        return self in (Kind.VERIFIED, Kind.PUBLISHED)

    @property
    def is_searched(self) -> bool:
        """Whether the front is of these: validation accuracies of what was searched, not of what was made of it."""
        return not self.is_test and self != Kind.SLIMMED


_KINDS = {
    State.COMPLETE: Kind.COMPLETE,
    State.PRUNED: Kind.PRUNED,
    State.RUNNING: Kind.RUNNING,
    State.WAITING: Kind.RUNNING,
    State.FAILED: Kind.FAILED,
}


@dataclass(frozen=True, kw_only=True)
class Study:
    """What a picture needs to know of a study."""

    name: str
    dataset: str
    budgets: tuple[int, ...]
    """Most parameters that a network may have, for each network that is searched for; strictly increasing."""
    target: float
    """Accuracy to reach, a fraction."""
    candidates: Sequence[Candidate]
    trail: Trail = ()
    """The confirmed winners, each smaller than the one before."""
    importance: Mapping[str, float] = field(default_factory=dict)
    """Shares that add up to 1, by the name of a choice of the search space; empty where they are not known."""
    rungs: tuple[int, ...] = ()
    """Lengths of the trainings that a candidate goes through, in epochs; empty where they are not known."""

    @property
    def budget(self) -> int:
        """Most parameters a candidate may have."""
        return self.budgets[-1]

    @property
    def winner(self) -> int | None:
        """Number of the smallest winner."""
        return self.trail[-1].number if self.trail else None

    @property
    def winners(self) -> dict[int, int]:
        """Number of the winner by budget, without those that have none."""
        return winners(self.budgets, self.trail)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One accuracy of one network."""

    kind: Kind
    study: str
    """Empty for a published network."""
    name: str
    """`#80` for a candidate, else the published name."""
    line: str
    parameters: int
    macs: int
    peak_bytes: int
    accuracy: float
    """A fraction; of verifications the mean."""
    interval: Interval | None = None
    """Of a verified accuracy: by Student's t of the mean over trainings, or of the images for a single training."""
    epochs: int = 0
    """0 where they are not known."""
    seconds: float = 0.0
    seed: int | None = None
    remark: str = ""
    """Anything else that is to be known of it."""

    def cost(self, cost: Cost) -> int:
        """How much of it the network takes."""
        return {Cost.PARAMETERS: self.parameters, Cost.MACS: self.macs, Cost.PEAK: self.peak_bytes}[cost]

    @property
    def error(self) -> float:
        """The share of images that it is wrong about."""
        return 1 - self.accuracy


def front(points: Iterable[Point], cost: Cost) -> list[Point]:
    """The points that no other beats in one of cost and accuracy without losing in the other, by rising cost.

    Of equals the first by name is taken.
    """
    found: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost(cost), -point.accuracy, point.study, point.name)):
        if not found or point.accuracy > found[-1].accuracy:
            found.append(point)
    return found


def points_of(study: Study) -> list[Point]:
    """The validation accuracy of each candidate after its longest training, and its verified one if it has one."""
    found = []
    for candidate in study.candidates:
        if candidate.accuracy is not None:
            found.append(_validated(study.name, candidate, candidate.accuracy))
        if candidate.verifications:
            found.append(_verified(study.name, candidate))
    return found


def published_point(network: Published) -> Point:
    """A published network with the costs that we count."""
    totals = network.architecture.totals
    return Point(
        kind=Kind.PUBLISHED,
        study="",
        name=network.name,
        line=network.line,
        parameters=network.parameters,
        macs=totals.macs,
        peak_bytes=totals.peak_activation_bytes,
        accuracy=network.accuracy,
        remark="chosen on the test set",
    )


def _validated(study: str, candidate: Candidate, accuracy: float) -> Point:
    confirmed = candidate.confirmed_accuracy
    remarks = [str(candidate.pruning)] if candidate.pruning else []
    if confirmed is not None:
        remarks.append(f"confirmed: {percent(confirmed)}, mean of {len(candidate.confirmations)}")
    kind = Kind.SLIMMED if candidate.pruning else _KINDS[candidate.state]
    return replace(
        _point(study, candidate, kind, accuracy),
        epochs=candidate.epochs,
        seconds=candidate.seconds,
        seed=candidate.seed,
        remark="; ".join(remarks),
    )


def _verified(study: str, candidate: Candidate) -> Point:
    runs = candidate.verifications
    summary = Summary.of([run.accuracy for run in runs])
    trainings = f"mean of {len(runs)} trainings" if len(runs) > 1 else "one training"
    return replace(
        _point(study, candidate, Kind.VERIFIED, summary.mean),
        interval=summary.interval or _of_images(runs[0]),
        epochs=runs[0].epochs,
        seconds=sum(run.seconds for run in runs),
        seed=runs[0].seed if len(runs) == 1 else None,
        remark="; ".join([trainings, *([str(candidate.pruning)] if candidate.pruning else [])]),
    )


def _of_images(run: Verification) -> Interval:
    right = sum(row[place] for place, row in enumerate(run.confusion))
    return proportion_interval(right, sum(map(sum, run.confusion)))


def _point(study: str, candidate: Candidate, kind: Kind, accuracy: float) -> Point:
    return Point(
        kind=kind,
        study=study,
        name=f"#{candidate.number}",
        line=candidate.line,
        parameters=candidate.parameters,
        macs=candidate.macs,
        peak_bytes=candidate.peak_activation_bytes,
        accuracy=accuracy,
    )
