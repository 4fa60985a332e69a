"""A real Chromium, and the dashboard served to it by this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from sqlalchemy.engine import URL

from search import storage
from tests.browser import programs
from tests.browser.serving import serving
from tests.studies_in_databases import confirm, make, over_budget

REQUIRED = "PETITNET_REQUIRE_BROWSER"
"""Set where a missing browser is a failure and not a reason to skip."""
_PATIENCE = 20_000
"""Milliseconds that a page has for whatever is asked of it or expected of it."""
expect.set_options(timeout=_PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a file; not longer, because Playwright's event loop is in the way of others."""
    program = programs.chromium()
    if program is None:
        message = "no browser on this machine: install Debian's chromium"
        if os.environ.get(REQUIRED):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=programs.OPTIONS)
        yield browser
        browser.close()


def fill(url: URL) -> None:
    """Studies in every state that one can be in."""
    store = storage.open_or_create(url)
    confirm(make(store, "all states", 200))
    make(store, "empty", 0)
    over_budget(store, "only over/budget")
    make(store, "running", 2)
    store.close()


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> URL:
    """One that no test writes to."""
    url = storage.parse(f"sqlite:///{tmp_path_factory.mktemp('studies') / 'studies.db'}")
    fill(url)
    return url


@pytest.fixture(scope="session")
def site(database: URL) -> Iterator[str]:
    """Where its dashboard is."""
    with serving(database) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgres"])
def own_database(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """One of the test's own, with a study of 200 candidates."""
    if request.param == "sqlite":
        url = storage.parse(f"sqlite:///{tmp_path / 'studies.db'}")
    else:
        url = request.getfixturevalue("postgres_url")
    store = storage.open_or_create(url)
    make(store, "study", 200)
    store.close()
    return url


@dataclass
class Watched:
    """What went wrong on a page, and what it asked for."""

    page: Page
    expected: str = ""
    """What errors may be of."""
    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    methods: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(_PATIENCE)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._count)

    def _note(self, told: ConsoleMessage) -> None:
        if told.type in ("error", "warning") and not (self.expected and self.expected in told.text):
            self.errors.append(told.text)

    def _count(self, request: Request) -> None:
        self.methods.add(request.method)
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.elsewhere.append(request.url)


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens addresses; at the end no page may have had an error, or have asked for anything from elsewhere."""
    watched: list[Watched] = []
    contexts = []

    def open_it(address: str, width: int = 1280, height: int = 900, expected: str = "", **options: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        watched.append(Watched(context.new_page(), expected))
        watched[-1].page.goto(address)
        return watched[-1].page

    yield open_it
    for context in contexts:
        context.close()
    assert [(one.errors, one.elsewhere, one.methods - {"GET"}) for one in watched] == [([], [], set())] * len(watched)
