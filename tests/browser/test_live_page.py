"""The live page of a study of 200 candidates, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.engine import URL

from search import storage
from search.ledger import Ledger, RungResult
from space.candidate import State
from tests.browser.serving import serving

pytestmark = pytest.mark.xdist_group("browser")

PLOT = "[data-figure*='pareto'] .js-plotly-plot"
PLACE = """(plot, number) => {
  const box = plot.getBoundingClientRect(), {xaxis, yaxis} = plot._fullLayout;
  for (const trace of plot.data) {
    const at = (trace.customdata || []).indexOf(number);
    if (at < 0) continue;
    const x = xaxis._offset + xaxis.d2p(trace.x[at]), y = yaxis._offset + yaxis.d2p(trace.y[at]);
    return [box.x + x, box.y + y];
  }
}"""
"""Where on the screen the point of a candidate is."""
SHIFTS = """() => new Promise(resolve => {
  const sum = entries => entries.reduce((total, entry) => total + entry.value, 0);
  const observer = new PerformanceObserver(list => resolve(sum(list.getEntries())));
  observer.observe({type: "layout-shift", buffered: true});
  setTimeout(() => resolve(sum(observer.takeRecords())), 500);
})"""
"""By how much the page has moved under its reader since it was there."""


@pytest.fixture
def ledger(own_database: URL) -> Iterator[Ledger]:
    """Of the study, as a driver has it."""
    store = storage.open_existing(own_database)
    assert store is not None
    yield Ledger.open(store, "study")
    store.close()


def in_training(ledger: Ledger) -> int:
    """The number of a candidate that is."""
    return next(one.number for one in ledger.candidates() if one.state == State.RUNNING)


def drawn(page: Page) -> set[int]:
    """Numbers of the candidates whose points are in the figure."""
    found: list[Any] = page.locator(PLOT).evaluate("plot => plot.data.flatMap(trace => trace.customdata || [])")
    return {number for number in found if number is not None}


def test_a_search_can_be_followed(open_page: Callable[..., Page], own_database: URL, ledger: Ledger) -> None:
    trained = {one.number for one in ledger.candidates() if one.accuracy is not None}
    number = in_training(ledger)
    with serving(own_database) as site:
        page = open_page(f"{site}/studies/study")
        expect(page.locator(f"{PLOT} .scatterlayer .trace").first).to_be_visible()
        assert drawn(page) <= trained
        assert len(drawn(page)) > 0.8 * len(trained)
        check_front(page)
        check_hover(page, ledger)
        zoom(page)
        before = axes(page)
        ledger.tell_complete(number, RungResult(16, 0.9971, 80.0))
        expect(page.locator("[data-live$='/now']")).to_contain_text(f"#{number} 99.71 %")
        expect(page.locator("[data-live$='/best'] tbody tr").first).to_contain_text("99.71 %")
        until(page, lambda: number in drawn(page))
        assert axes(page) == before
        page.locator(f"{PLOT} .nsewdrag").dblclick(position={"x": 20, "y": 200})
        until(page, lambda: axes(page) != before)
        expect(page.locator(".pulse")).to_contain_text("Updated")
        page.close()


def check_front(page: Page) -> None:
    """The staircase is there, and falls nowhere."""
    errors = page.locator(PLOT).evaluate("plot => plot.data.find(trace => /front/.test(trace.name)).y")
    assert errors == sorted(errors, reverse=True)
    assert len(errors) > 4
    expect(page.locator(f"{PLOT} .legend")).to_contain_text("front of the validation")
    expect(page.locator(f"{PLOT} .legend")).to_contain_text("target 99.40 %")


def check_hover(page: Page, ledger: Ledger) -> None:
    best = max(drawn(page), key=lambda number: ledger.candidate(number).accuracy or 0)
    page.locator(PLOT).scroll_into_view_if_needed()
    page.mouse.move(*page.locator(PLOT).evaluate(PLACE, best))
    shown = page.locator(f"{PLOT} .hovertext")
    expect(shown).to_contain_text(f"#{best} study")
    assert ledger.candidate(best).line in "".join(shown.locator("tspan").all_text_contents())


def until(page: Page, is_so: Callable[[], bool]) -> None:
    """Wait for something that no locator sees; the page allows no script from elsewhere that could."""
    for _ in range(200):
        if is_so():
            return
        page.wait_for_timeout(100)
    raise AssertionError("waited in vain")


def axes(page: Page) -> Any:
    return page.locator(PLOT).evaluate("plot => [plot._fullLayout.xaxis.range, plot._fullLayout.yaxis.range]")


def zoom(page: Page) -> None:
    """As the mouse does it."""
    before = axes(page)
    box = page.locator(f"{PLOT} .nsewdrag").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + 0.5 * box["height"], steps=4)
    page.mouse.up()
    assert axes(page) != before


def test_what_is_being_pressed_is_not_replaced(
    open_page: Callable[..., Page], own_database: URL, ledger: Ledger
) -> None:
    with serving(own_database) as site:
        page = open_page(f"{site}/studies/study", height=1600)
        expect(page.locator(f"{PLOT} .scatterlayer .trace").first).to_be_visible()
        row = page.locator("[data-live$='/best'] tbody a").first
        row.hover()
        page.mouse.down()
        with page.expect_response(lambda answer: answer.url.endswith("/best") and answer.status == 200) as answered:
            ledger.tell_complete(in_training(ledger), RungResult(16, 0.9971, 80.0))
        assert "99.71 %" in answered.value.text()
        page.mouse.up()
        page.wait_for_url("**/candidates/*")
        page.go_back()
        expect(page.locator("[data-live$='/best'] tbody tr").first).to_contain_text("99.71 %")
        page.close()


def test_a_page_does_not_move_when_its_first_answers_come(open_page: Callable[..., Page], site: str) -> None:
    """By the Layout Instability API's layout shift, whose scores sum to 0 if nothing of what is seen moves."""
    page = open_page(f"{site}/studies/all%20states", height=1600)
    expect(page.locator(f"{PLOT} .scatterlayer .trace").first).to_be_visible()
    expect(page.locator(".pulse .time")).to_contain_text("Updated")
    assert page.evaluate(SHIFTS) == pytest.approx(0, abs=1e-3)


def test_a_point_leads_to_its_candidate(open_page: Callable[..., Page], site: str) -> None:
    page = open_page(f"{site}/studies/all%20states")
    expect(page.locator(f"{PLOT} .scatterlayer .trace").first).to_be_visible()
    number = max(drawn(page))
    page.locator(PLOT).scroll_into_view_if_needed()
    page.mouse.move(*page.locator(PLOT).evaluate(PLACE, number))
    page.mouse.click(*page.locator(PLOT).evaluate(PLACE, number))
    page.wait_for_url("**/candidates/*")
    expect(page.locator("h1")).to_contain_text("Candidate #")


def test_the_page_says_when_the_server_is_away(open_page: Callable[..., Page], database: URL) -> None:
    with serving(database) as site:
        page = open_page(f"{site}/studies/running", expected="net::ERR_CONNECTION_")
        expect(page.locator(".pulse .time")).to_contain_text("Updated")
    expect(page.locator(".pulse .state")).to_contain_text("the server does not answer")
    with serving(database, port=int(site.rpartition(":")[2])):
        expect(page.locator(".pulse .state")).to_have_text("")
        expect(page.locator(".pulse .time")).to_contain_text("Updated")
        page.close()
