"""HTML put together from values, so that what comes from a study is text and never markup."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from html import escape
from typing import TypeAlias
from urllib.parse import quote, unquote

from dashboards.text import percent

Content: TypeAlias = "str | int | Iterable[Content] | None"
"""Text is escaped unless it is `Html`; None is nothing; of several each in turn."""
_VOID = frozenset({"img", "meta", "link", "source"})
"""Elements without content and without an end tag."""
_MARK = "~"


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, /, *content: Content, **attributes: str | int | bool | None) -> Html:
    """An element of HTML. `class_` is the attribute class, `data_source` data-source; False and None are left out."""
    told = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    return Html(f"<{name}{told}>" if name in _VOID else f"<{name}{told}>{together(*content)}</{name}>")


def together(*content: Content) -> Html:
    """Contents one after another."""
    return Html("".join(map(_written, content)))


def _written(content: Content) -> str:
    match content:
        case None:
            return ""
        case Html():
            return content
        case str() | int():
            return escape(str(content))
        case _:
            return together(*content)


def _attribute(name: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def link(address: str, *content: Content, **attributes: str | bool | None) -> Html:
    """To another page."""
    return element("a", *content, href=address, **attributes)


def study_address(name: str, *more: str | int) -> str:
    """Of a study's page, or of one below it.

    A name may be anything. Browsers take the segments `.` and `..` for ways through the tree, however they are quoted,
    and drop none that is empty: names that begin with a dot or with our own mark, and the empty one, get a mark before.
    """
    marked = _MARK + name if name == "" or name[0] in (".", _MARK) else name
    return "/" + "/".join(quote(str(part), safe="") for part in ("studies", marked, *more))


def study_name(segment: str) -> str:
    """The name in the segment of an address that `study_address` made."""
    return unquote(segment).removeprefix(_MARK)


def table(
    caption: str,
    headings: Sequence[str],
    rows: Iterable[Iterable[Content]],
    *,
    words: Collection[str] = (),
    wide: Collection[str] = (),
) -> Html:
    """In a frame of its own that scrolls where it is too wide; the first cell of each row is its heading.

    Columns of `words` begin on the left, all others but the first hold numbers; those in `wide` are left out on narrow
    screens.
    """
    classes = [" ".join(_classes(heading, words, wide)) or None for heading in headings]
    head = [element("th", name, scope="col", class_=class_) for name, class_ in zip(headings, classes, strict=True)]
    body = [
        element(
            "tr", [_cell(place, cell, class_) for place, (cell, class_) in enumerate(zip(row, classes, strict=True))]
        )
        for row in rows
    ]
    drawn = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", head)),
        element("tbody", body),
    )
    return element("div", drawn, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _classes(heading: str, words: Collection[str], wide: Collection[str]) -> Iterator[str]:
    if heading in words:
        yield "words"
    if heading in wide:
        yield "wide"


def _cell(place: int, cell: Content, class_: str | None) -> Html:
    return element("td", cell, class_=class_) if place else element("th", cell, scope="row", class_=class_)


def percents(fractions: Iterable[float | None]) -> str:
    """`99.41 %, 99.46 %`, or `-` where there are none."""
    return ", ".join(map(percent, fractions)) or "-"
