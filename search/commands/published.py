"""`search published`: the networks that people published, and what they reach when they are trained again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table

from dashboards.text import number, percent
from search import home, options
from search.errors import INTERRUPTED, NotFoundError, SettingsError
from search.published.results import RECIPE_NAMES, read_all, row_json, rows
from search.published.table import table
from search.published.training import Request, train
from space.published import Published
from workers.published_recipes import NETWORKS, PRUNED

_BY_NAME = {network.name: network for network in NETWORKS}
_OUTPUT = Path("results/published")


@click.group("published", invoke_without_command=True)
@options.with_json
@click.pass_context
def published_command(context: click.Context, as_json: bool) -> None:
    """The networks that people published for MNIST; `train` trains them again."""
    if context.invoked_subcommand is not None:
        return
    if as_json:
        options.print_json([_network_row(network) for network in NETWORKS])
        return
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("network", no_wrap=True)
    for heading in ("parameters", "MACs", "peak bytes", "published"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("architecture", overflow="fold")
    for network in NETWORKS:
        totals = network.architecture.totals
        costs = (network.parameters, totals.macs, totals.peak_activation_bytes)
        shown.add_row(network.name, *map(number, costs), percent(network.accuracy), network.line)
    options.output().print(shown)
    zeros = PRUNED.architecture.totals.parameters - PRUNED.parameters
    options.output().print(
        f"{PRUNED.name} is article-2 with {number(zeros)} weights held at zero; its MACs and bytes are article-2's.\n"
        "To train one again: search published train article-2",
        soft_wrap=True,
    )


def _network_row(network: Published) -> dict[str, Any]:
    totals = network.architecture.totals
    return {
        "network": network.name,
        "parameters": network.parameters,
        "unpruned_parameters": totals.parameters,
        "macs": totals.macs,
        "peak_activation_bytes": totals.peak_activation_bytes,
        "published_accuracy": network.accuracy,
        "architecture": network.line,
    }


@published_command.command("train")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "every", is_flag=True, help="All that --at-most allows.")
@click.option("--at-most", type=options.BUDGET, default="20000", help="Parameters, with --all.")
@click.option("--seeds", type=click.IntRange(1), default=5, help="Trainings of each network under each recipe.")
@click.option(
    "--recipe",
    type=click.Choice([*RECIPE_NAMES, "both"]),
    default="both",
    help="The published one, ours, or both.",
)
@click.option("--epochs", type=click.IntRange(1), default=16, help="Of our recipe.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=_OUTPUT,
    help="Directory of the results.",
)
@click.option("--workers", type=click.IntRange(1), help="Trainings at once.  [default: one a core, or 8 a GPU]")
@options.with_json
def train_command(
    names: tuple[str, ...],
    every: bool,
    at_most: int,
    seeds: int,
    recipe: str,
    epochs: int,
    output: Path,
    workers: int | None,
    as_json: bool,
) -> int:
    """Train published networks again, under their own recipe and under ours, and test each training once.

    Each training has a file in the directory of the results. What has its file is not trained again, so that the same
    command goes on where it was interrupted. The directory's README.md has the table of all of them.
    """
    home.check_writable(output.absolute())
    request = Request(
        networks=_chosen(names, every, at_most),
        recipes=[name for name in RECIPE_NAMES if recipe in (name, "both")],
        seeds=seeds,
        epochs=epochs,
        output=output,
        workers=workers,
        command=_command(names, at_most, seeds, recipe, epochs),
    )
    again = request.command if output == _OUTPUT else f"{request.command} --output {shlex.quote(str(output))}"
    ended = train(request, lambda line: click.echo(line, err=True))
    found = rows(request.networks, read_all(output).values())
    if as_json:
        options.print_json([row_json(row) for row in found])
    else:
        options.output().print(table(found))
    if ended.failed:
        click.echo(f"{ended.failed} of the trainings failed and have no result", err=True)
    if ended.interrupted:
        click.echo(f"interrupted; to go on: {again}", err=True)
        return INTERRUPTED
    return 1 if ended.failed else 0


def _chosen(names: tuple[str, ...], every: bool, at_most: int) -> list[Published]:
    """The networks in the order of the list."""
    if every == bool(names):
        raise SettingsError("name the networks to train or give --all, but got " + ("both" if every else "neither"))
    unknown = [name for name in names if name not in _BY_NAME]
    if unknown:
        raise NotFoundError(f"no published network is called {', '.join(unknown)} (there are: {', '.join(_BY_NAME)})")
    found = [network for network in NETWORKS if network.name in names or (every and network.parameters <= at_most)]
    if not found:
        smallest = min(network.parameters for network in NETWORKS)
        raise SettingsError(f"--at-most must be at least {number(smallest)} parameters, but got {number(at_most)}")
    return found


def _command(names: tuple[str, ...], at_most: int, seeds: int, recipe: str, epochs: int) -> str:
    """The command line with all that results depend on."""
    which = list(names) if names else ["--all", "--at-most", str(at_most)]
    options_given = ["--seeds", str(seeds), "--recipe", recipe, "--epochs", str(epochs)]
    return shlex.join(["search", "published", "train", *which, *options_given])
