"""`search plot`: a study as a picture, the Pareto front of one or several among others."""

from __future__ import annotations

import json
import shutil
import webbrowser
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
    from dashboards.ink.drawing import Sheet
    from dashboards.pareto.chart import Chart
    from dashboards.pareto.points import Study
    from dashboards.views.view import View

    Picture = Chart | View

_ENDINGS = ("html", "png", "svg", "json")
_COSTS = ("parameters", "macs", "peak-bytes")
_PARETO = "pareto"
_VIEWS = (_PARETO, "history", "epochs", "pruned", "importance", "curves", "losses", "proposals")
_SHORTEST = 10
"""Rows of the plot in a terminal, at least."""


@click.command("plot")
@click.argument("studies", metavar="STUDY...", nargs=-1, required=True)
@click.option("--view", "name", type=click.Choice(_VIEWS), default=_PARETO, help="What is drawn.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File ending in .html, .png, .svg or .json.  [default: STUDY-VIEW.html]",
)
@click.option("--cost", type=click.Choice(_COSTS), help="What the lower axis of pareto shows.  [default: parameters]")
@click.option("--width", type=click.IntRange(320, 4000), default=1000, help="Of a png or svg, in pixels.")
@click.option("--dark", is_flag=True, help="Draw a png or svg on a dark ground; html follows the reader's setting.")
@click.option("--ascii", "as_text", is_flag=True, help="Draw pareto in the terminal.")
@click.option("--open", "wants_open", is_flag=True, help="Open the file in a browser.")
@options.with_storage
@options.with_json
def plot_command(
    studies: tuple[str, ...],
    name: str,
    output: Path | None,
    cost: str | None,
    width: int,
    dark: bool,
    as_text: bool,
    wants_open: bool,
    url: URL,
    as_json: bool,
) -> None:
    """A study as a picture.

    \b
    pareto      accuracy against parameters, MACs or memory, and the front of these
    history     the best accuracy so far, by time
    epochs      the best accuracy so far, by epochs trained
    pruned      what became of the candidates
    importance  which choices of the search space matter
    curves      accuracies by the length of the training
    losses      training losses by epoch
    proposals   parameters proposed: whether the sampler learns the budget

    In pareto, studies of one data set are drawn into one picture. --ascii and --json write to stdout, and to a file
    only if there is an -o or --open as well; .json files hold the same numbers.
    """
    _check(name, studies, cost, as_text=as_text, as_json=as_json)
    path = output
    if path is None and (wants_open or not (as_text or as_json)):
        path = Path(f"{'-'.join(dict.fromkeys(studies)).replace('/', '-')}-{name}.html")
    kind = None if path is None else _kind_of(path)
    picture = _read(url, studies, name, cost or _COSTS[0])
    if path is not None and kind is not None:
        write_whole(path, _rendering(picture, kind, width, dark))
        options.say(f"wrote {path}")
        if wants_open and not webbrowser.open(path.absolute().as_uri()):
            raise SearchError(f"no browser could be opened; open {path} yourself")
    if as_json:
        options.print_json(picture.to_json())
    elif as_text:
        _print(picture)


def _check(name: str, studies: tuple[str, ...], cost: str | None, *, as_text: bool, as_json: bool) -> None:
    """SettingsError with all that does not go together."""
    rules = []
    if as_text and as_json:
        rules.append("stdout takes one of --ascii and --json, but got both")
    if name != _PARETO:
        if len(set(studies)) > 1:
            rules.append(f"--view {name} draws one study, but got {len(set(studies))}")
        if cost is not None:
            rules.append(f"--cost is for --view {_PARETO}, but got --view {name}")
        if as_text:
            rules.append(f"--ascii is for --view {_PARETO}, but got --view {name}")
    if rules:
        raise SettingsError("; ".join(rules))


def _kind_of(path: Path) -> str:
    """The ending; SettingsError for one that is not known, and where the directory cannot be written to."""
    kind = path.suffix.removeprefix(".").lower()
    if kind not in _ENDINGS:
        raise SettingsError(f"the file must end in one of .{', .'.join(_ENDINGS)}, but got {path.name}")
    check_writable(path.absolute().parent)
    return kind


def _read(url: URL, studies: tuple[str, ...], name: str, cost: str) -> Picture:
    """The picture's numbers; SettingsError for studies of different data, NotFoundError for a front of nothing."""
    from search.pictured import pictured

    with options.reading(url) as store:
        if name == _PARETO:
            return _chart([_trained(store, study) for study in dict.fromkeys(studies)], cost)
        from dashboards.views.catalogue import view

        return view(pictured(Ledger.open(store, studies[0]), importance=name == "importance"), name)


def _trained(store: Store, name: str) -> Study:
    """A study; NotFoundError for one in which nothing is trained."""
    from search.pictured import pictured

    study = pictured(Ledger.open(store, name))
    if all(candidate.accuracy is None for candidate in study.candidates):
        raise NotFoundError(f"study {name} has no trained candidate yet; to go on: search resume {name}")
    return study


def _chart(studies: list[Study], cost: str) -> Chart:
    from dashboards.pareto.chart import Chart
    from dashboards.pareto.points import Cost

    datasets = sorted({study.dataset for study in studies})
    if len(datasets) > 1:
        raise SettingsError(f"studies in one picture must be of one data set, but got {', '.join(datasets)}")
    return Chart(tuple(studies), Cost(cost))


def _rendering(picture: Picture, kind: str, width: int, dark: bool) -> bytes:
    from dashboards.ink import drawing

    theme = drawing.DARK if dark else drawing.LIGHT
    match kind:
        case "html":
            return _page(picture).encode()
        case "json":
            return (json.dumps(picture.to_json(), indent=2) + "\n").encode()
        case "svg":
            return drawing.svg(_sheet(picture, width), theme).encode()
        case _:
            return drawing.png(_sheet(picture, width), theme)


def _page(picture: Picture) -> str:
    from dashboards.pareto import figure as pareto_figure
    from dashboards.views import figure as view_figure
    from dashboards.views.view import View

    return view_figure.page(picture) if isinstance(picture, View) else pareto_figure.page(_thinned(picture))


def _sheet(picture: Picture, width: int) -> Sheet:
    from dashboards.pareto import drawing as pareto_drawing
    from dashboards.views import drawing as view_drawing
    from dashboards.views.view import View

    if isinstance(picture, View):
        return view_drawing.draw(picture, width)
    return pareto_drawing.draw(_thinned(picture), width)


def _thinned(chart: Chart) -> Chart:
    from dashboards.pareto.thinning import ThinChart

    return ThinChart(chart.studies, chart.cost)


def _print(picture: Picture) -> None:
    from dashboards.pareto.ascii_plot import draw
    from dashboards.pareto.chart import Chart

    assert isinstance(picture, Chart), "views have no drawing in text"
    size = shutil.get_terminal_size()
    click.echo(draw(picture, size.columns, max(_SHORTEST, min(size.lines - 12, 30))))
