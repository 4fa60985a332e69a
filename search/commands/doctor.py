"""`search doctor`: whether this machine, its database and its cluster are fit for a search."""

from __future__ import annotations

from collections.abc import Iterator

import click
from sqlalchemy.engine import URL

from search import options
from search.cluster_check import check_cluster
from search.doctor import check_machine
from search.errors import ClusterError
from search.findings import Finding, show
from search.node_probe import describe


@click.command("doctor")
@click.option(
    "--address",
    envvar="RAY_ADDRESS",
    callback=options.ray_address,
    help="Of a Ray cluster whose nodes are to be asked too, such as head:6379.  [default: none]",
)
@options.with_storage
@options.with_json
def doctor_command(address: str | None, url: URL, as_json: bool) -> int:
    """Check this machine, the study database and a cluster, and say what to do about what is wrong."""
    away: list[ClusterError] = []
    all_well = show(_findings(url, address, away), as_json=as_json)
    if away:
        return ClusterError.exit_code
    return 0 if all_well else 1


def _findings(url: URL, address: str | None, away: list[ClusterError]) -> Iterator[Finding]:
    """All findings; a cluster that cannot be reached is one of them and is noted in `away`."""
    versions = describe()["versions"]
    yield from check_machine(url, versions)
    if address is None:
        return
    try:
        yield from check_cluster(address, versions)
    except ClusterError as error:
        away.append(error)
        yield Finding("cluster", False, str(error), "start it, or name another with --address or RAY_ADDRESS")
