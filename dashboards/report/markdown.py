"""A report as Markdown (as GitHub reads it), with its pictures as files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dashboards.report.parts import (
    Cell,
    Document,
    Items,
    Lines,
    Links,
    Paragraph,
    Part,
    Picture,
    Section,
    Table,
)

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$])")


def markdown(document: Document) -> str:
    """The whole text."""
    blocks = [f"# {_text(document.title)}", f"**{_text(document.verdict)}**", _text(document.moment)]
    if document.figures:
        rows = [(_text(figure.name), _text(figure.value), _text(figure.note)) for figure in document.figures]
        blocks.append(_grid(("", "", ""), rows, ("", "")))
    for section in document.sections:
        blocks += _section(section, 2)
    return "\n\n".join(blocks) + "\n"


def _text(text: str) -> str:
    """Text that means nothing but itself, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()).replace("&", "&amp;"))


def _section(section: Section, level: int) -> Iterator[str]:
    yield f"{'#' * level} {_text(section.title)}"
    yield from map(_part, section.parts)
    for below in section.below:
        yield from _section(below, level + 1)


def _part(part: Part) -> str:
    match part:
        case Paragraph(text):
            return _text(text)
        case Items(texts):
            return "\n".join(f"- {_text(text)}" for text in texts)
        case Lines(lines):
            return "\n".join(f"    {piece}" for line in lines for piece in line.split("\n"))
        case Table():
            return f"{_text(part.caption)}:\n\n{_table(part)}"
        case Picture():
            return _picture(part)
        case Links(files):
            return "\n".join(f"- [{_text(told)}]({to})" for told, to in files)


def _picture(picture: Picture) -> str:
    """Its notes are written in it, and told again to those who do not see it."""
    return f"![{_text(' '.join([picture.alternative, *picture.notes]))}]({picture.name}.png)"


def _table(table: Table) -> str:
    rows = [[_cell(cell) for cell in row] for row in table.rows]
    if table.foot:
        rows.append([_cell(cell) for cell in table.foot])
    return _grid(table.headings, rows, (table.headings[0], *table.words))


def _grid(headings: Sequence[str], rows: Iterable[Sequence[str]], words: Sequence[str]) -> str:
    rule = "|".join("---" if heading in words else "--:" for heading in headings)
    lines = [f"| {' | '.join(map(_text, headings))} |", f"|{rule}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return _text(cell)
    plain = " ".join(cell.text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{plain}`" if plain else ""
