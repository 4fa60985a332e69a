"""All candidates of a study as a table in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from dashboards.tables import candidate_row
from search.errors import SearchError, SettingsError
from search.home import check_writable
from space.candidate import Candidate

_KINDS = ("csv", "parquet", "json")


def write_candidates(candidates: list[Candidate], output: Path | None, kind: str | None) -> None:
    """Write to `output`, or to stdout where there is none; `kind` follows from the file's ending unless it is given.

    SettingsError for an ending that is no kind, for Parquet on stdout and for a directory that cannot be written to.
    """
    kind = kind or _kind_of(output)
    if output is not None:
        check_writable(output.absolute().parent)
    elif kind == "parquet":
        raise SettingsError("Parquet is no text: name a file with --output")
    rows = [_flat(candidate) for candidate in candidates]
    if kind == "json":
        _write_text(json.dumps(rows, indent=2) + "\n", output)
        return
    import pandas

    frame = pandas.DataFrame(rows)
    if kind == "csv":
        _write_text(frame.to_csv(index=False), output)
    else:
        frame.to_parquet(output, index=False)


def _kind_of(output: Path | None) -> str:
    if output is None:
        return "csv"
    kind = output.suffix.removeprefix(".").lower()
    if kind not in _KINDS:
        raise SettingsError(
            f"the file must end in one of .{', .'.join(_KINDS)} (or give --format), but got {output.name}"
        )
    return kind


def _flat(candidate: Candidate) -> dict[str, Any]:
    """One row: columns for each rung, with the last loss; of other trainings their number and mean."""
    row = candidate_row(candidate)
    for epochs, accuracy in row.pop("rungs").items():
        row[f"accuracy_{epochs}"] = accuracy
    for epochs, losses in row.pop("losses").items():
        row[f"loss_{epochs}"] = losses[-1]
    row["repeats"] = len(candidate.repeats)
    row["confirmations"] = len(candidate.confirmations)
    row["verifications"] = len(candidate.verifications)
    row["shorter_verifications"] = len(row.pop("shorter"))
    row["pruning"] = None if candidate.pruning is None else str(candidate.pruning)
    return row


def _write_text(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text)
    except OSError as error:
        raise SearchError(f"{output} cannot be written: {error.strerror}") from error
