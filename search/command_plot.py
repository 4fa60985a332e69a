"""`search plot`: the Pareto front of one or several studies as a picture."""

from __future__ import annotations

import shutil
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy.engine import URL

from search import options
from search.errors import NotFoundError, SearchError, SettingsError
from search.files import write_whole
from search.home import check_writable
from search.ledger import Ledger
from search.storage import Store

if TYPE_CHECKING:
    from dashboards.pareto import Chart
    from dashboards.pareto_points import Study

_ENDINGS = ("html", "png", "svg", "json")
_COSTS = ("parameters", "macs", "peak-bytes")
_SHORTEST = 10
"""Rows of the plot in a terminal, at least."""


@click.command("plot")
@click.argument("studies", metavar="STUDY...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File ending in .html, .png, .svg or .json.  [default: STUDY-pareto.html]",
)
@click.option("--cost", type=click.Choice(_COSTS), default="parameters", help="What the lower axis shows.")
@click.option("--width", type=click.IntRange(320, 4000), default=1000, help="Of a png or svg, in pixels.")
@click.option("--dark", is_flag=True, help="Draw a png or svg on a dark ground; html follows the reader's setting.")
@click.option("--ascii", "as_text", is_flag=True, help="Draw in the terminal.")
@click.option("--open", "wants_open", is_flag=True, help="Open the file in a browser.")
@options.with_storage
@options.with_json
def plot_command(
    studies: tuple[str, ...],
    output: Path | None,
    cost: str,
    width: int,
    dark: bool,
    as_text: bool,
    wants_open: bool,
    url: URL,
    as_json: bool,
) -> None:
    """The Pareto front of a study: accuracy against parameters, MACs or memory.

    Studies of one data set are drawn into one picture. --ascii and --json write to stdout, and to a file only if there
    is an -o or --open as well; .json files hold the same numbers.
    """
    if as_text and as_json:
        raise SettingsError("stdout takes one of --ascii and --json, but got both")
    path = output
    if path is None and (wants_open or not (as_text or as_json)):
        path = Path(f"{'-'.join(dict.fromkeys(studies)).replace('/', '-')}-pareto.html")
    kind = None if path is None else _kind_of(path)
    chart = _read(url, studies, cost)
    if path is not None and kind is not None:
        write_whole(path, _rendering(chart, kind, width, dark))
        options.say(f"wrote {path}")
        if wants_open and not webbrowser.open(path.absolute().as_uri()):
            raise SearchError(f"no browser could be opened; open {path} yourself")
    if as_json:
        options.print_json(chart.to_json())
    elif as_text:
        _print(chart)


def _kind_of(path: Path) -> str:
    """The ending; SettingsError for one that is not known, and where the directory cannot be written to."""
    kind = path.suffix.removeprefix(".").lower()
    if kind not in _ENDINGS:
        raise SettingsError(f"the file must end in one of .{', .'.join(_ENDINGS)}, but got {path.name}")
    check_writable(path.absolute().parent)
    return kind


def _read(url: URL, names: tuple[str, ...], cost: str) -> Chart:
    """SettingsError for studies of different data sets, NotFoundError for one in which nothing is trained."""
    from dashboards.pareto import Chart
    from dashboards.pareto_points import Cost

    with options.reading(url) as store:
        studies = tuple(_study(store, name) for name in dict.fromkeys(names))
    datasets = sorted({study.dataset for study in studies})
    if len(datasets) > 1:
        raise SettingsError(f"studies in one picture must be of one data set, but got {', '.join(datasets)}")
    return Chart(studies, Cost(cost))


def _study(store: Store, name: str) -> Study:
    from dashboards.pareto_points import Study

    ledger = Ledger.open(store, name)
    candidates, settings = ledger.candidates(), ledger.settings
    if all(candidate.accuracy is None for candidate in candidates):
        raise NotFoundError(f"study {name} has no trained candidate yet; to go on: search resume {name}")
    kept = {known: settings[known] for known in ("dataset", "budget", "target")}
    return Study(name=name, candidates=candidates, **kept)


def _rendering(chart: Chart, kind: str, width: int, dark: bool) -> bytes:
    from dashboards import drawing

    def picture(write: Callable[[drawing.Sheet, drawing.Theme], str | bytes]) -> str | bytes:
        from dashboards.pareto_drawing import draw

        return write(draw(chart, width), drawing.DARK if dark else drawing.LIGHT)

    match kind:
        case "html":
            from dashboards.pareto_figure import page

            made: str | bytes = page(chart)
        case "json":
            import json

            made = json.dumps(chart.to_json(), indent=2) + "\n"
        case "svg":
            made = picture(drawing.svg)
        case _:
            made = picture(drawing.png)
    return made if isinstance(made, bytes) else made.encode()


def _print(chart: Chart) -> None:
    from dashboards.ascii_plot import draw

    size = shutil.get_terminal_size()
    click.echo(draw(chart, size.columns, max(_SHORTEST, min(size.lines - 12, 30))))
