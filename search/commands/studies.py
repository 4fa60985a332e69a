"""The commands that look at studies: each reads its options, reads the study and prints it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table
from sqlalchemy.engine import URL

from dashboards.runs import run_rows, runs_table, trainings
from dashboards.tables import candidate_row, candidates_table, layer_rows, layers_table, ranking
from dashboards.text import duration, number, percent, points
from search import drivers, options, storage
from search.ledger import Ledger, own_names
from search.reference import parse
from search.report import SHOWN, print_result, print_winners, result_row, verified_line
from search.run import find, finished
from space.candidate import Candidate, State
from space.notation import read
from space.trail import winners


@click.command("list")
@options.with_storage
@options.with_json
def list_command(url: URL, as_json: bool) -> None:
    """All studies of the database."""
    store = storage.open_existing(url)
    with storage.translated(url):
        rows = [] if store is None else [_study_row(Ledger.open(store, name)) for name in own_names(store)]
    if as_json:
        options.print_json(rows)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("study", "budget", "target", "candidates", "trained", "best", "winner"):
        table.add_column(heading, justify="left" if heading == "study" else "right")
    for row in rows:
        budgets = ", ".join(map(number, row["budgets"]))
        counts = (str(row["candidates"]), str(row["trained"]))
        won = ", ".join(dict.fromkeys(f"#{winner}" for winner in row["winners"].values()))
        table.add_row(row["study"], budgets, percent(row["target"]), *counts, percent(row["best"]), won or "-")
    options.output().print(table if rows else "No studies yet; begin with: search run --budget 10000 --target 0.994")


def _study_row(ledger: Ledger) -> dict[str, Any]:
    settings, candidates = ledger.settings, ledger.candidates()
    best = ranking(candidates, ledger.winner)
    return {
        "study": ledger.name,
        **{name: settings[name] for name in ("dataset", "budgets", "target")},
        "candidates": len(candidates),
        "trained": len(best),
        "best": best[0].accuracy if best else None,
        "winner": ledger.winner,
        "winners": {str(budget): winner for budget, winner in winners(settings["budgets"], ledger.trail).items()},
    }


@click.command("status")
@click.argument("study")
@options.with_storage
@options.with_json
def status_command(study: str, url: URL, as_json: bool) -> None:
    """Where a study stands."""
    with options.reading(url) as store:
        ledger = Ledger.open(store, study)
        result, conditions = finished(ledger), ledger.conditions
        running = drivers.living(store.engine, study)
    counts = Counter(candidate.state for candidate in result.candidates)
    if as_json:
        at_work = [{"host": driver.host, "pid": driver.pid, "silent": round(driver.silent, 1)} for driver in running]
        options.print_json(result_row(result) | {"conditions": conditions, "drivers": at_work})
        return
    console = options.output()
    console.print(f"Being searched by: {', '.join(map(str, running)) or 'nobody'}.")
    console.print(f"{counts[State.RUNNING]} in training, {sum(counts.values())} candidates in all.")
    print_result(console, result)


@click.command("best")
@click.argument("study")
@click.option("-n", "--number", "shown", type=click.IntRange(1), default=SHOWN, help="Candidates to show.")
@options.with_storage
@options.with_json
def best_command(study: str, shown: int, url: URL, as_json: bool) -> None:
    """The best candidates of a study, the smallest winner first; with several budgets the best and the winner of each.

    Where there are several winners they are shown in their order; search status --json has both tables.
    """
    with options.reading(url) as store:
        ledger = Ledger.open(store, study)
        candidates, trail, budgets = ledger.candidates(), ledger.trail, ledger.settings["budgets"]
    best = ranking(candidates, trail[-1].number if trail else None)[:shown]
    if as_json:
        options.print_json([candidate_row(candidate) for candidate in best])
        return
    console = options.output()
    console.print(candidates_table(best, f"Best candidates of {study} (validation accuracy)"))
    print_winners(console, budgets, candidates, trail)


@click.command("show")
@click.argument("place", metavar="STUDY[/CANDIDATE]")
@options.with_storage
@options.with_json
def show_command(place: str, url: URL, as_json: bool) -> None:
    """One candidate, with all trainings of its network, layer by layer.

    Without a number the smallest winner, or else the best so far. Trainings that differ by their seed alone are told
    with their mean and standard deviation.
    """
    with options.reading(url) as store:
        study, wanted = parse(place)
        ledger = Ledger.open(store, study)
        candidate = find(ledger, wanted)
        same = ledger.same_network(candidate)
        runs = trainings(same, top=ledger.settings["rungs"][-1])
    architecture = read(candidate.line) if candidate.line else None
    if as_json:
        extra = {"layers": layer_rows(architecture)} if architecture else {}
        options.print_json(candidate_row(candidate) | run_rows(runs) | extra)
        return
    console = options.output()
    for name, value in _facts(candidate, same):
        console.print(f"{name:<22}{value}", soft_wrap=True)
    if runs:
        console.print(runs_table(runs))
    if architecture is not None:
        console.print(layers_table(architecture))


def _facts(candidate: Candidate, same: Sequence[Candidate]) -> list[tuple[str, str]]:
    rungs = ", ".join(f"{percent(value)} after {epochs}" for epochs, value in candidate.rungs.items())
    fresh_runs = ", ".join(percent(confirmation.accuracy) for confirmation in candidate.confirmations)
    others = ", ".join(f"#{one.number} ({one.state})" for one in same if one.number != candidate.number)
    return [
        (
            "candidate",
            f"#{candidate.number}, {candidate.state}" + (f" ({candidate.reason})" if candidate.reason else ""),
        ),
        ("from", candidate.origin),
        ("architecture", candidate.line or "-"),
        ("identity", candidate.identity + (f", also that of {others}" if others else "") or "-"),
        ("parameters", number(candidate.parameters)),
        ("validation accuracy", f"{rungs} epochs" if rungs else "-"),
        ("over its seeds", _mean(candidate)),
        ("confirmations", fresh_runs or "-"),
        ("verified on test", verified_line(candidate)),
        ("peak activations", f"{number(candidate.peak_activation_bytes)} bytes as float32"),
        ("training", f"{duration(candidate.seconds)}, seed {candidate.seed}"),
    ]


def _mean(candidate: Candidate) -> str:
    """Of its trainings to the top rung with the search's own seed and others."""
    if candidate.standard_error is None:
        return "-"
    return f"{percent(candidate.mean)} mean of {len(candidate.runs)}, standard error {points(candidate.standard_error)}"


@click.command("trials")
@click.argument("study")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File.  [default: stdout, as CSV]"
)
@click.option("--format", "kind", type=click.Choice(["csv", "parquet", "json"]), help="[default: by the file's ending]")
@options.with_storage
@options.with_json
def trials_command(study: str, output: Path | None, kind: str | None, url: URL, as_json: bool) -> None:
    """Every candidate of a study as CSV, Parquet or JSON."""
    from search.tabulate import write_candidates

    with options.reading(url) as store:
        candidates = Ledger.open(store, study).candidates()
    write_candidates(candidates, output, "json" if as_json else kind)


@click.command("spaces")
@options.with_dataset
@options.with_json
def spaces_command(dataset: str, as_json: bool) -> None:
    """The space of networks that a search draws from."""
    from search.spaces import describe_space, print_space

    described = describe_space(dataset)
    if as_json:
        options.print_json(described)
    else:
        print_space(options.output(), described)


ALL: tuple[click.Command, ...] = (
    list_command,
    status_command,
    best_command,
    show_command,
    trials_command,
    spaces_command,
)
