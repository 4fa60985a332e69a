"""A report as one page of HTML: its pictures and its style are in it, and it needs neither a network nor JavaScript."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from dashboards.ink import drawing
from dashboards.report.parts import (
    Cell,
    Code,
    Document,
    Figure,
    Items,
    Lines,
    Links,
    Paragraph,
    Part,
    Picture,
    Section,
    Table,
)
from dashboards.report.style import NARROW, WIDE, style

_SCROLLS = 5
"""Columns from which a table may be wider than a narrow screen, so that keys must be able to scroll it."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Nothing is loaded and nothing runs, whatever a study is called."""


def page(document: Document, *, has_files: bool = True) -> str:
    """The page; without `has_files` there is nothing beside it that it could link to."""
    sections = [section for section in document.sections if has_files or not _is_links(section)]
    anchors = [f"s{place}" for place in range(1, len(sections) + 1)]
    ways = "\n".join(
        f'<li><a href="#{anchor}">{_text(section.title)}</a></li>'
        for anchor, section in zip(anchors, sections, strict=True)
    )
    body = "\n".join(_section(section, 2, anchor) for anchor, section in zip(anchors, sections, strict=True))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{_text(document.title)}</title>
<style>{style()}</style>
</head>
<body>
<a class="skip" href="#s1">To the content</a>
<header>
<h1>{_text(document.title)}</h1>
<p class="verdict">{_text(document.verdict)}</p>
<p class="moment">{_text(document.moment)}</p>
{_figures(document.figures)}
</header>
<nav aria-label="Contents"><ol>
{ways}
</ol></nav>
<main>
{body}
</main>
</body>
</html>
"""


def _is_links(section: Section) -> bool:
    return any(isinstance(part, Links) for part in section.parts)


def _text(text: str) -> str:
    return escape(" ".join(text.split()))


def _figures(figures: Iterable[Figure]) -> str:
    entries = "\n".join(
        f'<div><dt>{_text(figure.name)}</dt><dd class="value">{_text(figure.value)}</dd>'
        f'<dd class="note">{_text(figure.note)}</dd></div>'
        for figure in figures
    )
    return f'<dl class="figures">\n{entries}\n</dl>' if entries else ""


def _section(section: Section, level: int, anchor: str = "") -> str:
    identity = f' id="{anchor}" tabindex="-1"' if anchor else ""
    lines = [f"<section{identity}>", f"<h{level}>{_text(section.title)}</h{level}>"]
    lines += [_part(part) for part in section.parts]
    lines += [_section(below, level + 1) for below in section.below]
    return "\n".join([*lines, "</section>"])


def _part(part: Part) -> str:
    match part:
        case Paragraph(text):
            return f"<p>{_text(text)}</p>"
        case Items(texts):
            return _items(texts)
        case Lines(lines):
            return "<pre>" + "\n".join(escape(line) for line in lines) + "</pre>"
        case Table():
            return _table(part)
        case Picture():
            return _picture(part)
        case Links(files):
            return (
                "<ul>" + "".join(f'<li><a href="{escape(to)}">{_text(told)}</a></li>' for told, to in files) + "</ul>"
            )


def _items(texts: Iterable[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{_text(text)}</li>" for text in texts) + "\n</ul>"


def _picture(picture: Picture) -> str:
    """Drawn twice, of which a screen shows one: text in a picture that is made smaller cannot be read."""
    shown = "\n".join(
        f'<div class="{where}" role="img" aria-label="{_text(picture.alternative)}">\n'
        f"{drawing.svg(picture.draw(width))}</div>"
        for where, width in (("wide", min(picture.width, WIDE)), ("narrow", NARROW))
    )
    notes = f"\n<figcaption>{_items(picture.notes)}</figcaption>" if picture.notes else ""
    return f"<figure>\n{shown}{notes}\n</figure>"


def _table(table: Table) -> str:
    kinds = ["words" if heading in table.words else "" for heading in table.headings]
    head = "".join(
        f'<th scope="col"{_class(kind)}>{_text(heading)}</th>'
        for heading, kind in zip(table.headings, kinds, strict=True)
    )
    rows = "\n".join(_row(row, kinds, place if table.is_square else None) for place, row in enumerate(table.rows, 1))
    foot = f"\n<tfoot>\n{_row(table.foot, kinds)}\n</tfoot>" if table.foot else ""
    is_wide = len(kinds) >= _SCROLLS
    keys = f' role="region" aria-label="{_text(table.caption)}" tabindex="0"' if is_wide else ""
    return (
        f'<div class="{"scroll" if is_wide else "fits"}"{keys}>\n<table{_class("square" if table.is_square else "")}>\n'
        f"<caption><span>{_text(table.caption)}</span></caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody>{foot}\n</table>\n</div>"
    )


def _row(cells: Iterable[Cell], kinds: list[str], own: int | None = None) -> str:
    """`own` is the place of a cell that stands out."""
    first, *others = [_cell(cell) for cell in cells]
    looks = ["own" if place == own else kind for place, kind in enumerate(kinds)]
    rest = "".join(f"<td{_class(look)}>{cell}</td>" for cell, look in zip(others, looks[1:], strict=True))
    return f'<tr><th scope="row">{first}</th>{rest}</tr>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _cell(cell: Cell) -> str:
    """Architectures may be broken after their dashes."""
    return f"<code>{_text(cell.text).replace('-', '-<wbr>')}</code>" if isinstance(cell, Code) else _text(cell)
