"""Candidates side by side: how sure their accuracies are, and whether they differ by more than noise.

Each comparison is made as if it were the only one: of twenty equal candidates one will seem to differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from space.candidate import Candidate
from space.statistics import (
    Difference,
    Interval,
    Summary,
    difference,
    proportion_difference,
    proportion_interval,
)
from workers.dataset import FOLDS
from workers.sources import SOURCES

WELCH = "Welch's t-test"
PROPORTIONS = "two proportions"


class Kind(StrEnum):
    """What an accuracy was measured on; what comes first is believed more."""

    TEST = "test"
    """The test images, after trainings on all others."""
    CONFIRMATION = "confirmation"
    """Folds that played no part in choosing the candidate, after fresh trainings."""
    VALIDATION = "validation"
    """The fold that candidates are chosen by, which makes the best look better than they are."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An accuracy, from one or more trainings."""

    kind: Kind
    accuracies: tuple[float, ...]
    """Of each training; fractions."""
    images: int | None
    """Behind each of them; None if that is not known."""
    epochs: int | None = None
    """Of each training; None for confirmations, which are as long as the study's longest."""

    @property
    def summary(self) -> Summary:
        """Of the trainings."""
        return Summary.of(self.accuracies)

    @property
    def right(self) -> tuple[int, int] | None:
        """Images taken for what they are, and images; of several trainings their mean, for they share the images."""
        return None if self.images is None else (round(self.summary.mean * self.images), self.images)

    @property
    def interval(self) -> Interval | None:
        """Of the mean by Student's t if there are several trainings, else Wilson's of the images; within 0 and 1."""
        if (found := self.summary.interval) is not None:
            return max(0.0, found[0]), min(1.0, found[1])
        return None if self.right is None else proportion_interval(*self.right)


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A candidate, and the study and data set that it is from."""

    study: str
    dataset: str
    candidate: Candidate

    @property
    def name(self) -> str:
        """As a user writes it."""
        return f"{self.study}/{self.candidate.number}"

    def validation(self, epochs: int) -> Reading:
        """After trainings of so many epochs: with several seeds of the longest, if it was repeated."""
        runs = self.candidate.runs if epochs == self.candidate.epochs else ()
        accuracies = tuple(run.accuracy for run in runs) or (self.candidate.rungs[epochs],)
        return Reading(kind=Kind.VALIDATION, accuracies=accuracies, images=held_out(self.dataset, 0), epochs=epochs)

    @property
    def confirmation(self) -> Reading | None:
        """Of its fresh trainings, if there are any."""
        if not (runs := self.candidate.confirmations):
            return None
        images = held_out(self.dataset, max(run.fold for run in runs))
        return Reading(kind=Kind.CONFIRMATION, accuracies=tuple(run.accuracy for run in runs), images=images)

    @property
    def test(self) -> Reading | None:
        """Of its verifications, if there are any."""
        if not (runs := self.candidate.verifications):
            return None
        return Reading(
            kind=Kind.TEST,
            accuracies=tuple(run.accuracy for run in runs),
            images=sum(map(sum, runs[0].confusion)),
            epochs=runs[0].epochs,
        )

    @property
    def best_known(self) -> Reading | None:
        """The reading to be believed most; None if it was never trained."""
        epochs = self.candidate.epochs
        return self.test or self.confirmation or (self.validation(epochs) if epochs else None)


def held_out(dataset: str, fold: int) -> int | None:
    """Images of a fold (later folds have one less where they do not come out even); None for a data set not known."""
    source = SOURCES.get(dataset)
    return None if source is None else (source.images + FOLDS - 1 - fold) // FOLDS


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """By how much a contender's accuracy lies above the first one's."""

    kind: Kind
    epochs: int | None
    """Of the trainings compared, as in Reading."""
    test: str
    """WELCH, or PROPORTIONS where trainings are too few for it."""
    difference: Difference


def compare(first: Contender, other: Contender) -> Comparison | str:
    """`other` against `first` by the reading to be believed most that both have; or why there is no such comparison."""
    if first.dataset != other.dataset:
        return "another data set"
    reason = "not measured alike"
    for one, two in _alike(first, other):
        if (found := difference(one.accuracies, two.accuracies)) is not None:
            return Comparison(kind=one.kind, epochs=one.epochs, test=WELCH, difference=found)
        if one.right is not None and two.right is not None:
            found = proportion_difference(one.right, two.right)
            return Comparison(kind=one.kind, epochs=one.epochs, test=PROPORTIONS, difference=found)
        reason = "not known on how many images"
    return reason


def _alike(first: Contender, other: Contender) -> Iterator[tuple[Reading, Reading]]:
    """Readings of the same kind after trainings of the same length."""
    for one, two in ((first.test, other.test), (first.confirmation, other.confirmation)):
        if one is not None and two is not None and one.epochs == two.epochs:
            yield one, two
    if both := first.candidate.rungs.keys() & other.candidate.rungs.keys():
        yield first.validation(max(both)), other.validation(max(both))


def row(contender: Contender, comparison: Comparison | str | None) -> dict[str, Any]:
    """A contender as plain values, with its comparison with the first one."""
    candidate, reading = contender.candidate, contender.best_known
    return {
        "candidate": contender.name,
        "study": contender.study,
        "number": candidate.number,
        "dataset": contender.dataset,
        "architecture": candidate.line,
        "parameters": candidate.parameters,
        "macs": candidate.macs,
        "peak_activation_bytes": candidate.peak_activation_bytes,
        "accuracy": None if reading is None else _accuracy(reading),
        "difference": _difference(comparison),
    }


def _accuracy(reading: Reading) -> dict[str, Any]:
    summary = reading.summary
    return {
        "kind": str(reading.kind),
        "mean": summary.mean,
        "interval": reading.interval,
        "deviation": summary.deviation,
        "worst": summary.worst,
        "runs": list(reading.accuracies),
        "epochs": reading.epochs,
        "images": reading.images,
    }


def _difference(comparison: Comparison | str | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    if isinstance(comparison, str):
        return {"reason": comparison}
    found = comparison.difference
    return {
        "kind": str(comparison.kind),
        "epochs": comparison.epochs,
        "test": comparison.test,
        "mean": found.mean,
        "interval": found.interval,
        "p_value": found.p_value,
        "exceeds_noise": found.exceeds_noise,
    }
