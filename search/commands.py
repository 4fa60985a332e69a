"""Every command: reads its options, calls what does the work, prints what came of it."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table
from sqlalchemy.engine import URL

from dashboards.progress import view
from dashboards.tables import candidate_row, candidates_table, layer_rows, layers_table, ranking
from dashboards.text import duration, number, percent
from search import drivers, options, storage
from search.errors import INTERRUPTED, MET, NOT_MET
from search.ledger import Ledger, names, own_names
from search.report import SHOWN, continue_line, print_result, result_row
from search.run import Request, Result, check_same, find, finished, fresh, latest, run
from search.settings import RunLimits, StudySettings
from space.candidate import Candidate, State
from space.notation import read
from workers import sources

_GLANCE = 1.0
"""Seconds between two looks at who has stopped."""


def _with_limits(command: options.Decorated) -> options.Decorated:
    """Options of every command that trains."""
    for option in reversed(
        (
            click.option(
                "--trials", type=click.IntRange(1), default=1000, help="Candidates trained in the study, at most."
            ),
            click.option(
                "--timeout", type=options.SECONDS, help="Time for this run, such as 90s, 15m or 2h.  [default: none]"
            ),
            click.option("--trial-timeout", type=options.SECONDS, help="Time for one candidate.  [default: none]"),
            click.option(
                "--workers", type=click.IntRange(1), help="Trainings at once.  [default: one a core, or 8 a GPU]"
            ),
            click.option("--cold-start", is_flag=True, help="Do not ask the published networks first."),
            click.option(
                "--address",
                envvar="RAY_ADDRESS",
                callback=options.ray_address,
                help="Of a Ray cluster, such as head:6379 or auto.  [default: a Ray of its own on this machine]",
            ),
            click.option(
                "--cpus-per-trial", type=click.FloatRange(0, min_open=True), default=1.0, help="Cores of a training."
            ),
            click.option(
                "--gpus-per-trial",
                type=click.FloatRange(0),
                help="GPUs of a training; a fraction shares one, 0 leaves them alone.  [default: by the GPU's memory]",
            ),
            click.option("--cpu-nodes", is_flag=True, help="Where there are GPUs, train on the other cores as well."),
            click.option(
                "--storage-timeout",
                type=options.SECONDS,
                default="5m",
                help="How long the database may be away.",
            ),
        )
    ):
        command = option(command)
    return command


@click.command("run")
@click.option("--budget", type=options.BUDGET, required=True, help="Most parameters, such as 10000 or 10k.")
@click.option("--target", type=options.TARGET, required=True, help="Accuracy to reach, such as 0.994 or 99.4%.")
@click.option("--dataset", default="mnist", help=f"One of {', '.join(sources.SOURCES)}.")
@click.option("--seed", type=click.IntRange(0), help="Of the sampler and all trainings.  [default: 0, or the study's]")
@click.option("--study-name", help="[default: from data set, budget and target]")
@click.option("--fresh", is_flag=True, help="Begin another study where there is one already.")
@_with_limits
@options.with_storage
@options.with_json
def run_command(
    budget: int,
    target: float,
    dataset: str,
    seed: int | None,
    study_name: str | None,
    fresh: bool,
    url: URL,
    as_json: bool,
    **limits: Any,
) -> int:
    """Search for a network, or go on with the study of the same name."""
    settings = StudySettings.make(dataset, budget, target, seed or 0)
    there, study = _choose_study(url, settings, study_name, fresh)
    if there is not None:
        if seed is None:
            settings = StudySettings.make(dataset, budget, target, int(there.settings.get("seed", 0)))
        check_same(there, settings)
    return _run(url, study, settings, there, as_json, **limits)


@click.command("resume")
@click.argument("study")
@_with_limits
@options.with_storage
@options.with_json
def resume_command(study: str, url: URL, as_json: bool, **limits: Any) -> int:
    """Go on with a study."""
    with options.reading(url) as store:
        there = Ledger.open(store, study)
        settings = StudySettings.from_json(there.settings)
        check_same(there, settings)
    return _run(url, study, settings, there, as_json, **limits)


def _choose_study(url: URL, settings: StudySettings, name: str | None, begin: bool) -> tuple[Ledger | None, str]:
    """The study that a run is about, and its record if it is there; nothing is created."""
    wanted = name or settings.name
    store = storage.open_existing(url)
    if store is None:
        return None, wanted
    with storage.translated(url):
        if begin:
            return None, fresh(store, wanted)
        there = latest(store, wanted) if name is None else wanted if wanted in names(store) else None
        return (None, wanted) if there is None else (Ledger.open(store, there), there)


def _run(
    url: URL,
    study: str,
    settings: StudySettings,
    there: Ledger | None,
    as_json: bool,
    *,
    trials: int,
    timeout: float | None,
    trial_timeout: float | None,
    **wishes: Any,
) -> int:
    """Run a study, unless its target is met already, and print how it ended."""
    if there is not None and there.winner is not None:
        result = finished(there)
    else:
        limits = RunLimits(trials=trials, timeout=timeout, trial_timeout=trial_timeout)
        request = Request(url=url, study=study, settings=settings, limits=limits, **wishes)
        with storage.translated(url):
            result = run(request, lambda: view(options.progress()))
    _print(result, as_json)
    if result.winner is not None:
        return MET
    return INTERRUPTED if result.interrupted or result.stopped else NOT_MET


def _print(result: Result, as_json: bool) -> None:
    if as_json:
        options.print_json(result_row(result))
    else:
        print_result(options.output(), result)
    if result.interrupted or result.stopped:
        how = "interrupted" if result.interrupted else f"stopped by search stop {result.study}"
        click.echo(f"{how}; to go on: {continue_line(result)}", err=True)


@click.command("stop")
@click.argument("study")
@click.option("--wait/--no-wait", default=True, help="Return when all of them have ended.")
@options.with_storage
def stop_command(study: str, wait: bool, url: URL) -> int:
    """End every run of a study, on whatever machine, in order; each prints how to go on."""
    with options.reading(url) as store:
        name = Ledger.open(store, study).name
        asked = drivers.living(store.engine, name)
        drivers.ask_to_stop(store.engine, name)
        if not asked:
            click.echo(f"nobody is searching {name}", err=True)
            return 0
        click.echo(f"asked {len(asked)} to stop: {', '.join(map(str, asked))}", err=True)
        while wait and drivers.living(store.engine, name):
            time.sleep(_GLANCE)
    return 0


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
        shown = (number(row["budget"]), percent(row["target"]), str(row["candidates"]), str(row["trained"]))
        winner = row["winner"]
        table.add_row(row["study"], *shown, percent(row["best"]), "-" if winner is None else f"#{winner}")
    options.output().print(table if rows else "No studies yet; begin with: search run --budget 10000 --target 0.994")


def _study_row(ledger: Ledger) -> dict[str, Any]:
    settings, candidates = ledger.settings, ledger.candidates()
    best = ranking(candidates, ledger.winner)
    return {
        "study": ledger.name,
        **{name: settings[name] for name in ("dataset", "budget", "target")},
        "candidates": len(candidates),
        "trained": len(best),
        "best": best[0].accuracy if best else None,
        "winner": ledger.winner,
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
    """The best candidates of a study."""
    with options.reading(url) as store:
        ledger = Ledger.open(store, study)
        best = ranking(ledger.candidates(), ledger.winner)[:shown]
    if as_json:
        options.print_json([candidate_row(candidate) for candidate in best])
    else:
        options.output().print(candidates_table(best, f"Best candidates of {study} (validation accuracy)"))


@click.command("show")
@click.argument("place", metavar="STUDY[/CANDIDATE]")
@options.with_storage
@options.with_json
def show_command(place: str, url: URL, as_json: bool) -> None:
    """One candidate, layer by layer; the winner or the best so far if no number is given."""
    with options.reading(url) as store:
        candidate = find(store, place)
    architecture = read(candidate.line) if candidate.line else None
    if as_json:
        extra = {"layers": layer_rows(architecture)} if architecture else {}
        options.print_json(candidate_row(candidate) | extra)
        return
    console = options.output()
    for name, value in _facts(candidate):
        console.print(f"{name:<22}{value}", soft_wrap=True)
    if architecture is not None:
        console.print(layers_table(architecture))


def _facts(candidate: Candidate) -> list[tuple[str, str]]:
    rungs = ", ".join(f"{percent(value)} after {epochs}" for epochs, value in candidate.rungs.items())
    fresh_runs = ", ".join(percent(confirmation.accuracy) for confirmation in candidate.confirmations)
    return [
        (
            "candidate",
            f"#{candidate.number}, {candidate.state}" + (f" ({candidate.reason})" if candidate.reason else ""),
        ),
        ("from", candidate.origin),
        ("architecture", candidate.line or "-"),
        ("validation accuracy", f"{rungs} epochs" if rungs else "-"),
        ("confirmations", fresh_runs or "-"),
        ("peak activations", f"{number(candidate.peak_activation_bytes)} bytes as float32"),
        ("training", f"{duration(candidate.seconds)}, seed {candidate.seed}"),
    ]


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
@click.option("--dataset", default="mnist", help=f"One of {', '.join(sources.SOURCES)}.")
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
    run_command,
    resume_command,
    list_command,
    status_command,
    best_command,
    show_command,
    trials_command,
    spaces_command,
    stop_command,
)
