"""`search plan`: what a budget buys and what a search for it costs, before there is one."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from dashboards.text import choice, counted, number, percent, rough
from search import options, plan, ray_environment
from search.plan import Plan, Reach
from search.settings import RUNGS, StudySettings, write_rungs
from search.site import Site

if TYPE_CHECKING:
    from search.forecast import Forecast

_TIMED = 12
"""Networks: three for each price that is fitted to them."""


@click.command("plan")
@click.option(
    "--budget", type=options.BUDGETS, required=True, help="Most parameters, such as 10000 or 10k, or 10k,15k,20k."
)
@click.option("--target", type=options.TARGET, required=True, help="Accuracy to reach, such as 0.994 or 99.4%.")
@options.with_dataset
@click.option("--seed", type=click.IntRange(0), default=0, help="Of the random draws.")
@click.option(
    "--rungs", type=options.RUNGS, default=write_rungs(RUNGS), help="Epochs of the trainings.", show_default=True
)
@click.option("--trials", type=click.IntRange(1), default=1000, help="Candidates trained, at most.")
@click.option("--cold-start", is_flag=True, help="Do not count on the published networks.")
@click.option(
    "--calibration",
    type=click.FloatRange(0),
    default=20.0,
    help="Seconds in which training steps are timed; 0 for none, and no hours.",
)
@options.with_site
@options.with_json
def plan_command(
    budget: tuple[int, ...],
    target: float,
    dataset: str,
    seed: int,
    rungs: tuple[int, ...],
    trials: int,
    cold_start: bool,
    calibration: float,
    site: Site,
    as_json: bool,
) -> None:
    """What a budget buys and how long a search takes, before any training. Creates nothing."""
    found = plan.make(StudySettings.make(dataset, budget, target, seed, rungs), cold_start=cold_start)
    hours = _forecast(found, trials, calibration, site) if calibration else None
    if as_json:
        options.print_json(_row(found, hours, site))
    else:
        _print(options.output(), found, hours, site)


def _forecast(found: Plan, trials: int, seconds: float, site: Site) -> Forecast:
    """Time training steps as a run at `site` would take them, and what follows from that."""
    ray_environment.prepare(site.address)
    from search.calibration import calibrate, slots
    from search.forecast import forecast

    with redirect_stdout(sys.stderr):  # for Ray, which prints what it has to say on stdout
        at_once, here = slots(found.settings, site)
    networks = found.sample(_TIMED)
    options.say(
        f"timing training steps of {counted(len(networks), 'network')} for {seconds:g} s on {counted(here, 'slot')}"
    )
    return forecast(found, calibrate(networks, found.settings, here, seconds), at_once, sorted({100, trials}))


def _row(found: Plan, hours: Forecast | None, site: Site) -> dict[str, Any]:
    """All of it as plain values."""
    settings, sizes = found.settings, found.sizes
    deciles = {"convolutions": found.convolutions, "widest": found.widest, "macs": found.macs}
    return {
        "dataset": settings.dataset,
        "target": settings.target,
        "parameters": {"smallest": sizes.smallest, "median": sizes.median, "largest": sizes.largest},
        "draws": sizes.draws,
        "budgets": [
            {
                "budget": reach.budget,
                "share_within": reach.within,
                "uniform": [network._asdict() for network in reach.uniform],
            }
            for reach in found.reaches
        ],
        "proposals_per_training": found.proposals,
        "published": [start.name for start in found.published],
        "candidates": {name: dict(zip(("10", "50", "90"), values, strict=True)) for name, values in deciles.items()},
        "time": None if hours is None else _time_row(hours, site),
    }


def _time_row(hours: Forecast, site: Site) -> dict[str, Any]:
    calibration = hours.calibration
    return {
        "address": site.address,
        "slots": hours.slots,
        "device": calibration.device,
        "numerics": calibration.numerics,
        "processes": calibration.processes,
        "networks_timed": len(calibration.networks),
        "confidence": hours.confidence,
        "estimates": [
            {"candidates": each.candidates, "hours": each.hours, "interval": list(each.interval)}
            for each in hours.estimates
        ],
    }


def _print(console: Console, found: Plan, hours: Forecast | None, site: Site) -> None:
    """The same, for people."""
    settings = found.settings
    head = f"{settings.dataset}, at most {choice(settings.budgets)} parameters, target {percent(settings.target)}"
    parts: list[str | Table] = [head, "", *_facts(found), ""]
    for reach in found.reaches:
        parts += [*_bought(reach), ""]
    parts.append(_candidates_table(found))
    if hours is not None:
        parts += ["", *_conditions(hours, site), "", _hours_table(hours)]
    for part in parts:
        console.print(part)


def _facts(found: Plan) -> list[str]:
    sizes = found.sizes
    return [
        f"parameters     {number(sizes.smallest)} to {number(sizes.largest)}, "
        f"median {number(sizes.median)} of {number(sizes.draws)} random draws",
        *_shares(found),
        f"proposals      {found.proposals:.1f} for a training: if a draw is over budget its projection is",
        "               trained, the same network shrunk until it just fits",
        *_labelled("published", _published(found)),
    ]


def _published(found: Plan) -> list[str]:
    """Which known networks are trained, and when. Their accuracies are those on MNIST."""
    if not found.published:
        return ["no network is trained first"]
    separated = sum(start.is_separated for start in found.published)
    fitting = len(found.published) - separated
    lines = [f"{separated} that fill {'the' if len(found.reaches) == 1 else 'a'} budget with separable convolutions"]
    if fitting:
        best = found.published[0]
        most = f"; best {best.name}, {percent(best.network.accuracy)}" if found.settings.dataset == "mnist" else ""
        lines.insert(0, f"{counted(fitting, 'network')} within budget{most}")
    return [f"{when} {line}" for when, line in zip(("first", "then"), lines, strict=False)]


def _shares(found: Plan) -> list[str]:
    """How much of the space is within each budget."""
    shares = [f"{100 * reach.within:.1f} % of the draws" for reach in found.reaches]
    if len(shares) > 1:
        budgets = [number(reach.budget) for reach in found.reaches]
        shares = [f"{share} have at most {budget}" for share, budget in zip(shares, budgets, strict=True)]
    return _labelled("within budget", shares)


def _labelled(label: str, lines: list[str]) -> list[str]:
    return [f"{label if place == 0 else '':<13}  {line}" for place, line in enumerate(lines)]


def _bought(reach: Reach) -> list[str | Table]:
    """How wide the budget lets networks of equal convolutions be."""
    budget = number(reach.budget)
    if not reach.uniform:
        return [f"{budget} parameters are too few for networks of equal 3x3 convolutions."]
    table = _table("convolutions", "filters each", "parameters", "MACs")
    for network in reach.uniform:
        table.add_row(*map(number, network))
    return [f"{budget} parameters buy equal 3x3 convolutions, so many of at most that width:", "", table]


def _candidates_table(found: Plan) -> Table:
    table = _table("candidates, as drawn", "10 %", "median", "90 %")
    table.add_row("convolutions", *map(number, found.convolutions))
    table.add_row("widest convolution", *map(number, found.widest))
    table.add_row("MACs", *map(number, found.macs))
    return table


def _conditions(hours: Forecast, site: Site) -> list[str]:
    """What the hours hold for."""
    calibration = hours.calibration
    where = "on this machine" if site.address is None else f"on {site.address}, each as fast as one here"
    return [
        f"Time of {counted(hours.slots, 'training')} at once {where}, as busy as now",
        f"({calibration.device}, {calibration.numerics});",
        "how many candidates the target takes is not known before:",
    ]


def _hours_table(hours: Forecast) -> Table:
    table = _table("trained, and hits confirmed", "median", f"{100 * hours.confidence:.0f} % interval")
    for each in hours.estimates:
        low, high = (rough(3600 * end) for end in each.interval)
        table.add_row(counted(each.candidates, "candidate"), rough(3600 * each.hours), f"{low} to {high}")
    return table


def _table(name: str, *headings: str) -> Table:
    """Numbers in columns; `name` heads the first."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column(name, no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
