"""`search prune`: how much of a candidate can be left out."""

from __future__ import annotations

import click
from sqlalchemy.engine import URL

from dashboards.tables import candidate_row, candidates_table
from search import options
from search.commands.verify import SEEDS
from search.errors import INTERRUPTED
from search.reference import confirmed
from search.report import verified_line
from search.site import Site


@click.command("prune")
@click.argument("place", metavar="STUDY[/CANDIDATE]")
@click.option(
    "--keep",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.44,
    help="Share left after the last round: of the convolutions' weights, or with --filters of all parameters.",
)
@click.option("--rounds", type=click.IntRange(1), default=2, help="Each is a training of its own.")
@click.option("--filters", is_flag=True, help="Leave out whole filters: the result is a smaller architecture.")
@click.option("--seeds", type=click.IntRange(1), default=SEEDS, help="Trainings of each round's verification.")
@options.with_site
@options.with_storage
@options.with_storage_timeout
@options.with_json
def prune_command(
    place: str,
    keep: float,
    rounds: int,
    filters: bool,
    seeds: int,
    site: Site,
    url: URL,
    storage_timeout: float,
    as_json: bool,
) -> int:
    """Prune a candidate, by default the smallest winner, and verify what each round leaves as `search verify` does.

    Weights are held at zero by magnitude, over all convolutions together, and those left begin again from their initial
    values. Both kinds of result become candidates of the study, marked as what they are.
    """
    from search.prune import Request, prune
    from search.prune import rounds as rounds_of

    with options.writing(url, storage_timeout) as store:
        ledger, parent = confirmed(store, place)
        request = Request(
            parent=parent,
            what="filters" if filters else "weights",
            keep=keep,
            rounds=rounds,
            seeds=seeds,
            site=site,
        )
        ended = prune(ledger, request, options.say)
        found = rounds_of(ledger, request)
    if as_json:
        options.print_json([candidate_row(candidate) for candidate in found])
    else:
        console = options.output()
        console.print(candidates_table(found, f"#{parent.number} and what {rounds} rounds of pruning leave"))
        for candidate in found:
            console.print(f"#{candidate.number} on the test images: {verified_line(candidate)}", soft_wrap=True)
    if not ended:
        wishes = f"--keep {keep:g} --rounds {rounds} --seeds {seeds}" + (" --filters" if filters else "")
        click.echo(f"interrupted; to go on: search prune {place} {wishes}", err=True)
        return INTERRUPTED
    return 0
