from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from dashboards.report.page import page
from dashboards.report.sections import document
from space.candidate import State
from tests.dashboards.reports import report, whole
from tests.dashboards.studies import candidate

HOSTILE = "</title><script>alert('&')</script><img src=x onerror=alert(1)>\"'|`*_["
VOID = {"meta", "wbr", "link", "img"}


class Reader(HTMLParser):
    """Notes elements, headings, links and text, and that every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.within: dict[str, str] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.within[self.open[-1]] = self.within.get(self.open[-1], "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def read() -> Reader:
    return Reader(page(document(whole())))


def test_nothing_is_loaded_and_nothing_runs(read: Reader) -> None:
    names = {name for name, _ in read.elements}
    assert not names & {"script", "link", "img", "iframe", "object"}
    policy = next(meta for meta in read.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "url(" not in read.within["style"]
    assert "@import" not in read.within["style"]


def test_links_lead_to_sections_of_the_page_and_to_files_beside_it(read: Reader) -> None:
    places = {f"#{section['id']}" for section in read.all("section") if "id" in section}
    found = {link["href"] for link in read.all("a")}
    assert places < found
    assert found - places == {"pareto.html", "study.json", "report.md"}


def test_a_page_that_stands_alone_has_no_links_to_files() -> None:
    found = Reader(page(document(whole()), has_files=False))
    assert all(str(link["href"]).startswith("#") for link in found.all("a"))


def test_headings_are_in_order(read: Reader) -> None:
    levels = [int(name[1]) for name, _ in read.elements if re.fullmatch(r"h\d", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_say_what_their_headings_head(read: Reader) -> None:
    tables = len(read.all("table"))
    assert tables > 8
    assert len(read.all("caption")) == tables
    assert {heading["scope"] for heading in read.all("th")} == {"col", "row"}


def test_keys_can_scroll_what_may_be_wider_than_the_screen(read: Reader) -> None:
    scrolled = [box for box in read.all("div") if box.get("class") == "scroll"]
    assert all(box["tabindex"] == "0" and box["role"] == "region" and box["aria-label"] for box in scrolled)
    assert any("The best" in str(box["aria-label"]) for box in scrolled)


def test_pictures_are_told_to_those_who_do_not_see_them(read: Reader) -> None:
    shown = [box for box in read.all("div") if box.get("role") == "img"]
    assert len(shown) == 2 * len(read.all("figure")) == len(read.all("svg"))
    assert all(box["aria-label"] for box in shown)
    assert {box["class"] for box in shown} == {"wide", "narrow"}


def test_names_and_titles_are_text_whatever_they_say() -> None:
    made = report(candidate(0, 4000, 0.98, reason=HOSTILE, state=State.FAILED), name=HOSTILE, title=HOSTILE)
    found = Reader(page(document(made)))
    assert found.within["h1"] == found.within["title"] == HOSTILE
    assert not found.all("script")
    assert not found.all("img")


def test_counts_of_what_was_taken_for_itself_stand_out(read: Reader) -> None:
    assert sum(cell.get("class") == "own" for cell in read.all("td")) == 2
    assert sum(table.get("class") == "square" for table in read.all("table")) == 1


def test_light_and_dark_are_the_readers_choice_and_print_is_light(read: Reader) -> None:
    for query in ("prefers-color-scheme: dark", "@media print", "max-width: 700px"):
        assert query in read.within["style"]
    assert not re.search(r"LIGHT|DARK|BREAK", read.within["style"])
