"""All trainings of one network: what each came to, and mean and spread of those that are alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.table import Table

from dashboards.text import counted, duration, percent, points
from space.candidate import Candidate
from space.statistics import Summary

VALIDATION = "validation"
"""On the fold that candidates are chosen by."""
CONFIRMATION = "confirmation"
"""On a fold that played no part in choosing."""
TEST = "test"
"""On the test images."""


@dataclass(frozen=True)
class Training:
    """One of them."""

    candidate: int
    kind: str
    """What it was measured on."""
    fold: int | None
    """Held out; None where all training images were trained on."""
    epochs: int
    seed: int
    accuracy: float
    seconds: float | None
    """None of a rung: they are counted together."""


def trainings(candidates: Iterable[Candidate], top: int) -> list[Training]:
    """Those of candidates that are one network, by kind and length; `top` is the epochs of the top rung."""
    order = (VALIDATION, CONFIRMATION, TEST)
    found = (one for candidate in candidates for one in _trainings(candidate, top))
    return sorted(found, key=lambda one: (order.index(one.kind), one.epochs))


def _trainings(candidate: Candidate, top: int) -> Iterator[Training]:
    number = candidate.number
    for epochs, accuracy in candidate.rungs.items():
        yield Training(number, VALIDATION, 0, epochs, candidate.seed, accuracy, None)
    for run in candidate.repeats:
        yield Training(number, VALIDATION, 0, top, run.seed, run.accuracy, run.seconds)
    for fresh in candidate.confirmations:
        yield Training(number, CONFIRMATION, fresh.fold, top, fresh.seed, fresh.accuracy, fresh.seconds)
    for verified in candidate.readings:
        yield Training(number, TEST, None, verified.epochs, verified.seed, verified.accuracy, verified.seconds)


def alike(found: Iterable[Training]) -> dict[tuple[str, int], list[Training]]:
    """Trainings of one length that were measured on the same kind of images, by that kind and length."""
    groups: dict[tuple[str, int], list[Training]] = {}
    for one in found:
        groups.setdefault((one.kind, one.epochs), []).append(one)
    return groups


def run_rows(found: Sequence[Training]) -> dict[str, Any]:
    """All trainings, and mean and spread of those that are alike, as plain values."""
    spreads = [
        {"kind": kind, "epochs": epochs} | asdict(Summary.of([one.accuracy for one in group]))
        for (kind, epochs), group in alike(found).items()
    ]
    return {"runs": [asdict(one) for one in found], "spreads": spreads}


def runs_table(found: Sequence[Training]) -> Table:
    """The same for people: each group of trainings with its mean and standard deviation below it."""
    table = Table(title="All its trainings", box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for heading in ("measured by", "epochs", "fold", "seed", "accuracy", "training", "of"):
        table.add_column(heading, justify="left" if heading == "measured by" else "right", no_wrap=True)
    for (kind, epochs), group in alike(found).items():
        for one in group:
            fold, seconds = "-" if one.fold is None else str(one.fold), one.seconds
            taken = "-" if seconds is None else duration(seconds)
            table.add_row(kind, str(epochs), fold, str(one.seed), percent(one.accuracy), taken, f"#{one.candidate}")
        if len(group) > 1:
            summary = Summary.of([one.accuracy for one in group])
            told = f"mean of {counted(summary.count, 'training')}"
            spread = f"deviation {points(summary.deviation)}"
            table.add_row(told, "", "", spread, percent(summary.mean), "", "", style="bold")
    return table
