"""A description of the space that a search draws from."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from dashboards.text import number
from space.fitting import largest, parameters, share_within, smallest
from space.known_points import published_in
from space.search_space import SearchSpace
from workers import sources

BUDGETS = (10_000, 15_000, 20_000)
DRAWS = 2000


def describe_space(dataset: str) -> dict[str, Any]:
    """The space for a data set as plain values: ranges, ends, shares of random draws within budgets, known networks."""
    source = sources.find(dataset)
    space = SearchSpace(source.image, source.classes)
    return {
        "dataset": dataset,
        "image": list(source.image),
        "classes": source.classes,
        "ranges": {dimension.name: str(dimension) for dimension in space.dimensions},
        "smallest": parameters(space, smallest(space)),
        "largest": parameters(space, largest(space)),
        "draws": DRAWS,
        "share_within": {str(budget): share for budget, share in share_within(space, BUDGETS, DRAWS).items()},
        "published": {network.name: network.parameters for network, _ in published_in(space)},
    }


def print_space(console: Console, described: dict[str, Any]) -> None:
    """The same, for people."""
    channels, height, width = described["image"]
    console.print(
        f"Networks for {described['dataset']}: {channels}x{height}x{width} images, {described['classes']} classes"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("name")
    table.add_column("drawn from")
    for name, drawn in described["ranges"].items():
        table.add_row(name, drawn)
    console.print(table)
    console.print(f"Parameters: from {number(described['smallest'])} to {number(described['largest'])}")
    for budget, share in described["share_within"].items():
        console.print(f"Within {number(int(budget))}: {100 * share:.0f} % of {number(described['draws'])} random draws")
    known = ", ".join(f"{name} ({number(count)})" for name, count in described["published"].items())
    console.print(f"Published networks in it: {known or 'none'}", soft_wrap=True)
