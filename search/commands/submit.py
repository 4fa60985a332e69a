"""`search submit`: runs a search on a cluster from a machine outside it."""

from __future__ import annotations

import os
import sys

import click

from search.errors import INTERRUPTED
from search.submitting import Cluster, check, dashboard_address

_USUAL = "http://127.0.0.1:8265"


def _usual_address() -> str:
    cluster = os.environ.get("RAY_ADDRESS", "")
    return os.environ.get("RAY_DASHBOARD_ADDRESS") or (cluster if cluster.startswith("http") else _USUAL)


@click.command("submit", context_settings={"allow_interspersed_args": False})
@click.option(
    "--address",
    default=_usual_address,
    show_default=False,
    metavar="URL",
    help=f"Of the cluster's Ray dashboard.  [default: RAY_DASHBOARD_ADDRESS, or {_USUAL}]",
)
@click.option("--wait/--no-wait", default=True, help="Follow the search until it ends, and end with its exit code.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[--] run|resume ...")
def submit_command(address: str, wait: bool, arguments: tuple[str, ...]) -> int:
    """Send a search to a Ray cluster, as in: search submit run --budget 10000 --target 0.994

    It runs on the cluster's head with the study database and the data directory of that machine. Ctrl-C only ends the
    following, not the search.
    """
    address = dashboard_address(address)
    study = check(arguments) or "STUDY"
    cluster = Cluster.connect(address)
    job = cluster.submit(arguments)
    later = (
        f"to follow it: ray job logs --address {address} --follow {job}\n"
        f"to stop it: search stop {study}, where the study database can be reached"
    )
    if not wait:
        click.echo(job)
        click.echo(later, err=True)
        return 0
    click.echo(f"sent to {address} as job {job}", err=True)
    try:
        return cluster.follow(job, _print)
    except KeyboardInterrupt:
        click.echo(f"\nthe search goes on without us\n{later}", err=True)
        return INTERRUPTED


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
