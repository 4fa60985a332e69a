"""`search export`: a verified network as files to ship."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from rich import box
from rich.table import Table
from sqlalchemy.engine import URL

from dashboards.text import number, percent
from search import home, options
from search.conditions import check_images
from search.errors import NotFoundError, SearchError
from search.export.names import FORMATS, USUAL
from search.reference import confirmed
from search.storage import Store
from space.candidate import Candidate, Verification
from workers import sources

if TYPE_CHECKING:
    from search.export.bundle import Bundle
    from search.export.exportable import Exportable
    from workers.dataset import DataSet


@click.command("export")
@click.argument("place", metavar="STUDY[/CANDIDATE]")
@click.option(
    "-o", "--output", "directory", type=click.Path(path_type=Path), required=True, help="Directory for the files."
)
@click.option(
    "--format",
    "names",
    type=click.Choice([*FORMATS, "all"]),
    multiple=True,
    help="May be given several times.  [default: all but c]",
)
@click.option(
    "--include-preprocessing",
    is_flag=True,
    help="Files of a fixed graph (onnx, onnx-int8, pt2, c) take bytes and normalise them inside.",
)
@click.option(
    "--verification",
    "wanted",
    type=click.IntRange(0),
    default=0,
    help="Which of the candidate's verifications has the weights: the first, whatever its accuracy.",
)
@click.option("--force", is_flag=True, help="Replace the files of an earlier export.")
@options.with_storage
@options.with_json
def export_command(
    place: str,
    directory: Path,
    names: tuple[str, ...],
    include_preprocessing: bool,
    wanted: int,
    force: bool,
    url: URL,
    as_json: bool,
) -> int:
    """Write a verified network, by default a study's smallest winner, as ONNX, int8, pt2, safetensors or C.

    Every file is run on the whole test set: in float32 it must agree with PyTorch on each image, in int8 it may lose
    0.1 points. A file that fails is not left behind, and the exit code is 1.
    """
    from search.export import formats, staging
    from search.export.bundle import bundle

    chosen = FORMATS if "all" in names else dict.fromkeys(names or USUAL)
    found = [formats.find(name) for name in chosen]
    staging.check(directory, force=force)
    with options.reading(url) as store:
        stored = _read(store, place, wanted)
    training = sources.load(stored.settings["dataset"], home.data_directory())
    model = _exportable(stored, training, takes_bytes=include_preprocessing)
    done = bundle(
        model,
        found,
        directory,
        training,
        lambda: sources.load(model.dataset, home.data_directory(), "test"),
        force=force,
        say=options.say,
    )
    _print(done, as_json)
    return 1 if done.failed else 0


class _Stored(NamedTuple):
    """What the study has of a network."""

    study: str
    settings: dict[str, Any]
    conditions: dict[str, Any]
    candidate: Candidate
    verification: Verification
    packed: bytes


def _read(store: Store, place: str, wanted: int) -> _Stored:
    """A candidate with one of its verifications; NotFoundError where it has none."""
    ledger, candidate = confirmed(store, place)
    name = f"{ledger.name}/{candidate.number}"
    runs = {run.place: run for run in candidate.verifications}
    if not runs:
        raise NotFoundError(f"{name} has no verified weights yet; to train them: search verify {name}")
    if wanted not in runs:
        raise NotFoundError(f"{name} has no verification {wanted} (it has {', '.join(map(str, runs))})")
    packed = ledger.verifications.packed(candidate.number, runs[wanted].epochs, wanted)
    assert packed is not None
    return _Stored(ledger.name, ledger.settings, ledger.conditions, candidate, runs[wanted], packed)


def _exportable(stored: _Stored, training: DataSet, *, takes_bytes: bool) -> Exportable:
    """The network; SettingsError if the images are not those of the study, SearchError if the weights are damaged."""
    from search.export.exportable import Exportable
    from workers.weights import unpack

    check_images(stored.study, stored.conditions, training)
    try:
        state = unpack(stored.packed)
    except ValueError as error:
        raise SearchError(f"{stored.study}/{stored.candidate.number}: {error}") from error
    return Exportable(
        study=stored.study,
        settings=stored.settings,
        conditions=stored.conditions,
        candidate=stored.candidate,
        verification=stored.verification,
        state=state,
        dataset=training.name,
        checksum=training.checksum,
        mean=training.mean,
        deviation=training.deviation,
        takes_bytes=takes_bytes,
    )


def _print(done: Bundle, as_json: bool) -> None:
    """The files that are left on stdout, those that are not on stderr."""
    if as_json:
        options.print_json({"metrics": done.metrics, "failed": done.failed})
    elif done.metrics is not None:
        options.output().print(_table(done.metrics["files"]))
    for name, reason in done.failed.items():
        click.echo(f"error: {name} is not left behind: {reason}", err=True)


def _table(files: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("file", "bytes", "test accuracy", "as PyTorch", "checked with"):
        table.add_column(heading, justify="left" if heading in ("file", "checked with") else "right")
    for row in files:
        agreed = f"{number(row['predictions_as_pytorch'])} of {number(row['predictions'])}"
        table.add_row(row["file"], number(row["bytes"]), percent(row["test_accuracy"]), agreed, row["runtime"])
    return table
