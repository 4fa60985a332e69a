"""`search verify`: what a candidate is worth on images that nothing was chosen by."""

from __future__ import annotations

from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import URL

from dashboards.tables import candidate_row
from dashboards.text import interval, number, percent, points
from search import options
from search.errors import INTERRUPTED, MET, NOT_MET
from search.reference import all_confirmed
from search.site import Site
from space.candidate import Candidate
from space.statistics import Summary

SEEDS = 5
"""Trainings of a verification, by default."""


@click.command("verify")
@click.argument("place", metavar="STUDY[/CANDIDATE]")
@click.option("--seeds", type=click.IntRange(1), default=SEEDS, help="Trainings, those on record included.")
@click.option(
    "--epochs",
    type=click.IntRange(1),
    help="Of each training; only the longest count.  [default: the study's longest]",
)
@options.with_site
@options.with_storage
@options.with_storage_timeout
@options.with_json
def verify_command(
    place: str, seeds: int, epochs: int | None, site: Site, url: URL, storage_timeout: float, as_json: bool
) -> int:
    """Train a candidate, by default the winner, afresh on all training images and read the test set once for each.

    Verify a candidate by trainings of one length, chosen before: those of another are kept, but only the longest count.
    Of a study with several budgets it does so with the winner of each, and --json prints a list. Weights are those of
    the last epoch. The exit code is 3 if a mean misses the study's target.
    """
    from search.verify import verify

    with options.writing(url, storage_timeout) as store:
        ledger, chosen = all_confirmed(store, place)
        ended = verify(ledger, chosen, seeds, site, options.say, epochs)
        found, target = [ledger.candidate(candidate.number) for candidate in chosen], ledger.settings["target"]
    if not ended:
        length = "" if epochs is None else f" --epochs {epochs}"
        click.echo(f"interrupted; to go on: search verify {place} --seeds {seeds}{length}", err=True)
        return INTERRUPTED
    if as_json:
        rows = [verified_row(candidate, target) for candidate in found]
        options.print_json(rows if len(rows) > 1 else rows[0])
    else:
        for candidate in found:
            print_verified(options.output(), candidate, target)
    return MET if all((candidate.verified_accuracy or 0.0) >= target for candidate in found) else NOT_MET


def verified_row(candidate: Candidate, target: float) -> dict[str, Any]:
    """A verified candidate as plain values."""
    summary = Summary.of([run.accuracy for run in candidate.verifications])
    return candidate_row(candidate) | {
        "target": target,
        "target_met": summary.mean >= target,
        "test_accuracy": {
            "runs": summary.count,
            "mean": summary.mean,
            "standard_deviation": summary.deviation,
            "worst": summary.worst,
            "interval_95": summary.interval,
        },
    }


def print_verified(console: Console, candidate: Candidate, target: float) -> None:
    """The summary, each run, and what was taken for what."""
    summary = Summary.of([run.accuracy for run in candidate.verifications])
    verdict = "meets" if summary.mean >= target else "misses"
    console.print(
        f"#{candidate.number}, {number(candidate.parameters)} parameters: {percent(summary.mean)} on the test images, "
        f"mean of {summary.count}, which {verdict} the target of {percent(target)}.",
        soft_wrap=True,
    )
    console.print(
        f"Standard deviation {points(summary.deviation)}, worst {percent(summary.worst)}, "
        f"95 % interval of the mean {interval(summary.interval)}.",
        soft_wrap=True,
    )
    for run in candidate.verifications:
        console.print(f"  seed {run.seed:<12}{percent(run.accuracy)} after {run.epochs} epochs")
    console.print("Test images by class (rows) and by what they were taken for (columns), all runs together:")
    console.print(_confusion(candidate))


def _confusion(candidate: Candidate) -> Table:
    classes = range(len(candidate.verifications[0].confusion))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for taken_for in classes:
        table.add_column(str(taken_for), justify="right")
    for true in classes:
        counts = [sum(run.confusion[true][taken_for] for run in candidate.verifications) for taken_for in classes]
        table.add_row(str(true), *(str(count) if count else "." for count in counts))
    return table
