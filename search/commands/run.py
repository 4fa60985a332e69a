"""The commands that search: `search run`, `search resume` and `search stop`."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import click
from sqlalchemy.engine import URL

from dashboards.progress import view
from search import drivers, options, storage
from search.commands.verify import SEEDS, print_verified
from search.errors import INTERRUPTED, MET, NOT_MET
from search.ledger import Ledger, names
from search.report import continue_line, print_result, result_row
from search.run import Request, Result, check_same, finished, fresh, latest, run
from search.samplers import SAMPLERS
from search.settings import RUNGS, RunLimits, StudySettings, write_rungs
from search.site import Site
from space.trail import unmet

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
                "--shrink",
                is_flag=True,
                help="Go on below each winner for a smaller one that meets the target, until a limit is reached.",
            ),
            click.option("--cold-start", is_flag=True, help="Do not ask the published networks first."),
            click.option(
                "--sampler", type=click.Choice(SAMPLERS), default=SAMPLERS[0], help="Who proposes.", show_default=True
            ),
            click.option(
                "--verify", is_flag=True, help=f"At the end verify each winner with {SEEDS} trainings: search verify."
            ),
            options.with_site,
            options.with_storage_timeout,
        )
    ):
        command = option(command)
    return command


@click.command("run")
@click.option(
    "--budget",
    type=options.BUDGETS,
    required=True,
    help="Most parameters, such as 10000 or 10k; several, such as 10k,15k,20k, in one search with a winner for each.",
)
@click.option("--target", type=options.TARGET, required=True, help="Accuracy to reach, such as 0.994 or 99.4%.")
@options.with_dataset
@click.option("--seed", type=click.IntRange(0), help="Of the sampler and all trainings.  [default: 0, or the study's]")
@click.option(
    "--rungs",
    type=options.RUNGS,
    help=f"Epochs of the trainings that a candidate goes through.  [default: {write_rungs(RUNGS)}, or the study's]",
)
@click.option("--study-name", help="[default: from data set, budget and target]")
@click.option("--fresh", is_flag=True, help="Begin another study where there is one already.")
@_with_limits
@options.with_storage
@options.with_json
def run_command(
    budget: tuple[int, ...],
    target: float,
    dataset: str,
    seed: int | None,
    rungs: tuple[int, ...] | None,
    study_name: str | None,
    fresh: bool,
    url: URL,
    as_json: bool,
    **limits: Any,
) -> int:
    """Search for a network, or go on with the study of the same name."""
    settings = StudySettings.make(dataset, budget, target, seed or 0, rungs or RUNGS)
    there, study = _choose_study(url, settings, study_name, fresh)
    if there is not None:
        kept = there.settings
        seed = int(kept.get("seed", 0)) if seed is None else seed
        settings = StudySettings.make(dataset, budget, target, seed, rungs or tuple(kept.get("rungs", RUNGS)))
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
    shrink: bool,
    verify: bool,
    **wishes: Any,
) -> int:
    """Run a study, unless there is nothing left to search for, and print how it ended."""
    if there is not None and not shrink and not unmet(settings.budgets, there.trail):
        result = finished(there)
    else:
        limits = RunLimits(trials=trials, timeout=timeout, trial_timeout=trial_timeout, shrink=shrink)
        request = Request(url=url, study=study, settings=settings, limits=limits, **wishes)
        with storage.translated(url):
            result = run(request, lambda: view(options.progress()))
    verified = True
    if verify and result.winners:
        result, verified = _verify(url, result, wishes["site"], wishes["storage_timeout"])
    _print(result, as_json)
    if not verified:
        click.echo(f"interrupted; to go on: search verify {study}", err=True)
        return INTERRUPTED
    if (result.interrupted or result.stopped) and (shrink or not result.is_met):
        return INTERRUPTED
    return MET if result.is_met and (not verify or result.target_verified) else NOT_MET


def _verify(url: URL, result: Result, site: Site, patience: float) -> tuple[Result, bool]:
    """The result with its winners verified, and whether that came to its end."""
    from search.verify import verify

    with options.writing(url, patience) as store:
        ledger = Ledger.open(store, result.study)
        ended = verify(ledger, result.winners, SEEDS, site, options.say)
        return replace(result, candidates=ledger.candidates()), ended


def _print(result: Result, as_json: bool) -> None:
    if as_json:
        options.print_json(result_row(result))
    else:
        print_result(options.output(), result)
        for winner in result.winners:
            if winner.verifications:
                print_verified(options.output(), winner, result.settings.target)
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


ALL: tuple[click.Command, ...] = (run_command, resume_command, stop_command)
