"""`search report`: a study as a directory of files that can be mailed or published."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy.engine import URL

from search import options
from search.errors import SettingsError
from search.home import check_writable
from search.ledger import Ledger

if TYPE_CHECKING:
    from dashboards.report.numbers import Report
    from dashboards.report.parts import Document

_PAGE, _TEXT, _NUMBERS, _FRONT = "index.html", "report.md", "study.json", "pareto.html"


@click.command("report")
@click.argument("study")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Directory, empty or not there yet."
)
@click.option("--title", help="[default: petitnet: STUDY]")
@click.option("--force", is_flag=True, help="Replace an earlier report in the directory.")
@options.with_storage
@options.with_json
def report_command(study: str, output: Path, title: str | None, force: bool, url: URL, as_json: bool) -> None:
    """A report on a study as a page, as Markdown, as pictures and as JSON.

    The page, index.html, needs neither a network nor JavaScript. All files are there at once or none is. The path of
    the page is printed, with --json those of all files.
    """
    earlier = _check(output, force)
    with options.reading(url) as store:
        from search.reporting import report

        found = report(Ledger.open(store, study), title)
    names = _write(found, output, earlier)
    if as_json:
        options.print_json([str(output / name) for name in names])
    else:
        click.echo(str(output / _PAGE))


def _check(directory: Path, force: bool) -> set[str]:
    """The files of an earlier report there; SettingsError for other files, and without `force` for any."""
    from dashboards.report.pictures import names

    check_writable(directory)
    ours = {_PAGE, _TEXT, _NUMBERS, _FRONT} | {f"{name}.{kind}" for name in names() for kind in ("svg", "png")}
    there = {file.name for file in directory.iterdir()} if directory.exists() else set()
    if others := sorted(there - ours):
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise SettingsError(f"{directory} must hold nothing but an earlier report, but has {others[0]}{more}")
    if there and not force:
        raise SettingsError(f"{directory} must be empty or not there yet, but has a report; --force replaces it")
    return there


def _write(report: Report, directory: Path, earlier: set[str]) -> list[str]:
    """The names of the files that have taken the place of the earlier ones."""
    from dashboards.report.sections import document
    from search.export.staging import staged

    with staged(directory, force=True) as scratch:
        for name, content in _files(report, document(report)):
            (scratch / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        names = sorted(file.name for file in scratch.iterdir())
    for name in earlier.difference(names):
        (directory / name).unlink(missing_ok=True)
    return names


def _files(report: Report, document: Document) -> Iterator[tuple[str, str | bytes]]:
    from dashboards.ink import drawing
    from dashboards.pareto.figure import page as interactive
    from dashboards.report.markdown import markdown
    from dashboards.report.page import page

    yield _PAGE, page(document)
    yield _TEXT, markdown(document)
    yield _NUMBERS, json.dumps(report.to_json(), indent=2) + "\n"
    if report.chart is not None:
        yield _FRONT, interactive(report.chart)
    for picture in document.pictures():
        sheet = picture.draw_whole(picture.width)
        yield f"{picture.name}.svg", drawing.svg(sheet)
        yield f"{picture.name}.png", drawing.png(sheet)
