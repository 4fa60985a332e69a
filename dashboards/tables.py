"""Tables for the terminal and the same rows as plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table

from dashboards.text import number, percent
from space.architecture import Architecture
from space.candidate import Candidate
from space.layers import describe


def ranking(candidates: Iterable[Candidate], winner: int | None = None) -> list[Candidate]:
    """Trained candidates: the winner, then by length of training, accuracy and fewness of parameters."""
    return sorted(
        (candidate for candidate in candidates if candidate.rungs),
        key=lambda candidate: (
            candidate.number != winner,
            -candidate.epochs,
            -(candidate.accuracy or 0.0),
            candidate.parameters,
        ),
    )


def candidate_row(candidate: Candidate) -> dict[str, Any]:
    """A candidate as plain values."""
    row = asdict(candidate) | {
        "state": str(candidate.state),
        "architecture": candidate.line,
        "epochs": candidate.epochs,
        "accuracy": candidate.accuracy,
        "standard_error": candidate.standard_error,
        "confirmed_accuracy": candidate.confirmed_accuracy,
        "verified_accuracy": candidate.verified_accuracy,
        "rungs": {str(epochs): accuracy for epochs, accuracy in candidate.rungs.items()},
        "losses": {str(epochs): list(losses) for epochs, losses in candidate.losses.items()},
        "begun": None if candidate.begun is None else candidate.begun.isoformat(timespec="seconds"),
        "ended": None if candidate.ended is None else candidate.ended.isoformat(timespec="seconds"),
    }
    del row["line"]
    return row


def candidates_table(candidates: Sequence[Candidate], title: str) -> Table:
    """The columns that people compare; that of verified accuracies only where there are any."""
    verified = any(candidate.verifications for candidate in candidates)
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for heading in ("#", "parameters", "MACs", "accuracy", "epochs", "confirmed", *(("test",) if verified else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("architecture", overflow="fold")
    for candidate in candidates:
        table.add_row(
            str(candidate.number),
            number(candidate.parameters),
            number(candidate.macs),
            percent(candidate.accuracy),
            str(candidate.epochs),
            percent(candidate.confirmed_accuracy),
            *((percent(candidate.verified_accuracy),) if verified else ()),
            candidate.line if candidate.pruning is None else f"{candidate.line} ({candidate.pruning})",
        )
    return table


def layer_rows(architecture: Architecture) -> list[dict[str, Any]]:
    """A layer table as plain values."""
    return [
        {
            "kind": row.layer.kind,
            "token": row.layer.token(),
            "output": list(row.shape),
            "parameters": row.parameters,
            "macs": row.macs,
        }
        for row in architecture.rows()
    ]


def layers_table(architecture: Architecture) -> Table:
    """Each layer with what it puts out and what it costs."""
    totals = architecture.totals
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=True)
    table.add_column("layer", footer=f"from {describe(architecture.input)}")
    table.add_column("written", footer="")
    table.add_column("output", justify="right", footer="total")
    table.add_column("parameters", justify="right", footer=number(totals.parameters))
    table.add_column("MACs", justify="right", footer=number(totals.macs))
    for row in architecture.rows():
        table.add_row(
            row.layer.kind.replace("_", " "),
            row.layer.token(),
            describe(row.shape),
            number(row.parameters) if row.parameters else "",
            number(row.macs) if row.macs else "",
        )
    return table
