"""`search compare`: candidates of one or several studies side by side."""

from __future__ import annotations

import click
from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import URL

from dashboards.tables import ranking
from dashboards.text import number, percent
from search import options
from search.comparing import Comparison, Contender, Kind, Reading, compare, row
from search.errors import NotFoundError, SettingsError
from search.ledger import Ledger
from search.reference import parse
from search.storage import Store
from space.candidate import Candidate, State
from space.statistics import CONFIDENCE, Interval

_SMALLEST = 0.001
"""P-values below are not told apart."""

_INTERVAL = f"{100 * CONFIDENCE:.0f} % interval"

Compared = list[tuple[Contender, Comparison | str | None]]


@click.command("compare")
@click.argument("places", metavar="STUDY[/CANDIDATE]...", nargs=-1, required=True)
@options.with_storage
@options.with_json
def compare_command(places: tuple[str, ...], url: URL, as_json: bool) -> None:
    """Candidates side by side; of a study its smallest winner, or the best that was trained to the end.

    The accuracy is that of verifications on the test images, or else of confirmations, or else of the validation.
    Each candidate is compared with the first: by Welch's t-test where both have several trainings of a kind, else by
    the numbers of images.
    """
    if len(places) < 2:
        raise SettingsError(f"compare needs two studies or candidates at least, but got {places[0]}")
    with options.reading(url) as store:
        contenders = [_contender(store, place) for place in places]
    first = contenders[0]
    compared: Compared = [(first, None), *((other, compare(first, other)) for other in contenders[1:])]
    if as_json:
        options.print_json([row(contender, comparison) for contender, comparison in compared])
    else:
        _print(options.output(), compared)


def _contender(store: Store, place: str) -> Contender:
    """The candidate named; NotFoundError where there is none, or none in its study was trained to the end."""
    study, wanted = parse(place)
    ledger = Ledger.open(store, study)
    chosen = ledger.winner if wanted is None else wanted
    if chosen is None:
        complete = [candidate for candidate in ledger.candidates() if candidate.state == State.COMPLETE]
        if not complete:
            raise NotFoundError(f"study {study} has no candidate trained to the end; name one, as in {study}/7")
        chosen = ranking(complete)[0].number
    return Contender(study=study, dataset=ledger.settings["dataset"], candidate=ledger.candidate(chosen))


def _print(console: Console, compared: Compared) -> None:
    names = [contender.name for contender, _ in compared]
    costs = _table("Costs and accuracy", ("parameters", "MACs", "peak bytes", "accuracy"), (_INTERVAL, "measured by"))
    against = _table(f"Accuracy against {names[0]}, in points", ("difference",), (_INTERVAL, "beyond noise", "by"))
    for contender, comparison in compared:
        costs.add_row(contender.name, *_costs(contender.candidate), *_measured(contender.best_known))
        if comparison is not None:
            against.add_row(contender.name, *_told(comparison))
    console.print(costs)
    for contender, _ in compared:
        console.print(f"{contender.name}  {contender.candidate.line or '-'}", soft_wrap=True)
    console.print()
    console.print(against)
    console.print(
        "Intervals are those of the mean over trainings. A single training's knows the noise of its images alone, and "
        "the validation images are those that chose it.",
        soft_wrap=True,
    )


def _table(title: str, numbers: tuple[str, ...], texts: tuple[str, ...]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column("candidate", overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in texts:
        table.add_column(heading)
    return table


def _costs(candidate: Candidate) -> tuple[str, ...]:
    return tuple(map(number, (candidate.parameters, candidate.macs, candidate.peak_activation_bytes)))


def _measured(reading: Reading | None) -> tuple[str, str, str]:
    """Accuracy, its interval, and where they are from."""
    if reading is None:
        return "-", "-", "never trained"
    return percent(reading.summary.mean), "-" if reading.interval is None else _span(reading.interval), _source(reading)


def _source(reading: Reading) -> str:
    if reading.kind == Kind.VALIDATION:
        return f"{reading.kind}, {_counted(reading.epochs, 'epoch')}"
    return f"{reading.kind}, {_counted(len(reading.accuracies), 'training')}"


def _counted(count: int | None, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _told(comparison: Comparison | str) -> tuple[str, str, str, str]:
    """The difference, its interval, whether it is beyond the noise, and how that was found."""
    if isinstance(comparison, str):
        return "-", "-", "-", comparison
    found = comparison.difference
    p_value = f"p = {found.p_value:.3f}" if found.p_value >= _SMALLEST else f"p < {_SMALLEST}"
    length = f", {_counted(comparison.epochs, 'epoch')}" if comparison.kind == Kind.VALIDATION else ""
    return (
        f"{100 * found.mean:+.2f}",
        _span(found.interval, "+"),
        f"{'yes' if found.exceeds_noise else 'no'}, {p_value}",
        f"{comparison.test}, {comparison.kind}{length}",
    )


def _span(interval: Interval, sign: str = "") -> str:
    low, high = interval
    return f"{100 * low:{sign}.2f} to {100 * high:{sign}.2f}"
