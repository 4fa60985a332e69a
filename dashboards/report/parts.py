"""What a report is made of, before it is HTML or Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dashboards.ink.drawing import Sheet


@dataclass(frozen=True)
class Code:
    """Text in the notation of architectures, a file's or a setting's name."""

    text: str


Cell = str | Code


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Items:
    """Sentences of equal weight."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Lines:
    """Lines to be taken over as they are: commands, an architecture."""

    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows with a heading each, which is their first cell."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: tuple[str, ...] = ()
    """Headings of the columns that hold words; those of all others hold numbers, but for the first."""
    foot: tuple[Cell, ...] = ()
    """A last row that sums the others up; empty where there is none."""
    is_square: bool = False
    """Whether its columns are headed as its rows are, so that the diagonal stands out."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A drawing, and what it says in words."""

    name: str
    """Of its files, without an ending."""
    alternative: str
    """What it is of, for one who does not see it."""
    notes: tuple[str, ...] = ()
    """What a reader has to know besides."""
    draw: Callable[[int], Sheet]
    """The sheet without the notes, so many pixels wide."""
    draw_whole: Callable[[int], Sheet]
    """With the notes, to stand alone."""
    width: int
    """Pixels, where it stands alone."""


@dataclass(frozen=True)
class Links:
    """Files beside the report: what they are, and their names."""

    files: tuple[tuple[str, str], ...]


Part = Paragraph | Items | Lines | Table | Picture | Links


@dataclass(frozen=True)
class Section:
    """Parts under a heading, and the sections below them."""

    title: str
    parts: tuple[Part, ...]
    below: tuple[Section, ...] = ()

    def all_parts(self) -> Iterator[Part]:
        """Its own, then those of the sections below."""
        yield from self.parts
        for section in self.below:
            yield from section.all_parts()


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One of the few numbers at the head of a report."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole report in words, tables and pictures."""

    title: str
    verdict: str
    """In a sentence."""
    moment: str
    """When it was made, and of what."""
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]

    def pictures(self) -> list[Picture]:
        """All of them, in order."""
        return [part for section in self.sections for part in section.all_parts() if isinstance(part, Picture)]
