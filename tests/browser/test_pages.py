"""Every page in a real browser: on every kind of study, wide and narrow, light and dark, by keys alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.engine import URL

from dashboards.views.catalogue import NAMES
from tests.browser.serving import serving

pytestmark = pytest.mark.xdist_group("browser")

TOKEN = "correct horse battery staple"
STUDIES = ("all states", "empty", "only over/budget", "running")
HREFS = "all => all.map(one => one.href)"
FOCUS = """() => {
  const {activeElement: element} = document, style = getComputedStyle(element), box = element.getBoundingClientRect();
  return {
    tag: element.tagName, href: element.getAttribute("href"), label: element.getAttribute("aria-label"),
    isMarked: parseFloat(style.outlineWidth) > 1 && style.outlineStyle !== "none",
    isSeen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""
WIDE = """() => [...document.querySelectorAll("main *")]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll, svg"))
  .map(one => one.outerHTML.slice(0, 90))"""


def settle(page: Page) -> None:
    """Scroll through it until every figure is there."""
    for place in range(page.locator("[data-figure]").count()):
        frame = page.locator("[data-figure]").nth(place)
        frame.scroll_into_view_if_needed()
        expect(frame.locator(".waiting")).to_have_count(0)
        expect(frame.locator(".notes li").first).to_be_attached()
    page.evaluate("scrollTo(0, 0)")


def check_width(page: Page) -> None:
    """Nothing is wider than the page, but in frames of their own that keys can scroll; figures follow in their time."""
    for _ in range(50):
        if page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            break
        page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    wide = page.evaluate(WIDE)
    assert wide == []


@pytest.mark.parametrize("study", STUDIES)
def test_every_page_opens_on_every_study(open_page: Callable[..., Page], site: str, study: str) -> None:
    below = f"{site}/studies/{quote(study, safe='')}"
    page = open_page(below)
    settle(page)
    expect(page.locator("h1")).to_have_text(study)
    drawn = page.locator(".js-plotly-plot").count()
    assert drawn == (1 + len(NAMES) if study == "all states" else drawn) <= 1 + len(NAMES)
    check_both_widths(page)
    for address in (f"{below}/candidates", f"{below}/report", *page.locator("tbody a").evaluate_all(HREFS)[:1]):
        page.goto(address)
        assert page.locator("h1").count() == 1
        assert all(page.locator("img").evaluate_all("all => all.map(one => one.complete && one.naturalWidth > 0)"))
        check_both_widths(page)


def check_both_widths(page: Page) -> None:
    """Wide and light, then narrow and dark; it ends as it began."""
    check_width(page)
    page.set_viewport_size({"width": 390, "height": 900})
    page.emulate_media(color_scheme="dark")
    check_width(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")


def test_the_overview_leads_to_every_study(open_page: Callable[..., Page], site: str) -> None:
    for width in (1280, 390):
        page = open_page(site, width=width)
        expect(page.locator("article")).to_have_count(len(STUDIES))
        expect(page.locator(".pulse .time")).to_contain_text("Updated")
        check_width(page)
    page.get_by_role("link", name="only over/budget").click()
    expect(page.locator("h1")).to_have_text("only over/budget")


def test_a_candidate_is_shown_with_its_pictures(open_page: Callable[..., Page], site: str) -> None:
    for width, scheme in ((1280, "dark"), (390, "light")):
        page = open_page(f"{site}/studies/all%20states", width=width, color_scheme=scheme)
        page.locator("tbody a").first.click()
        expect(page.locator("h1")).to_contain_text("Candidate #")
        expect(page.locator("picture img")).to_have_count(3)
        natural = page.locator("picture img").evaluate_all("all => all.map(one => one.naturalWidth)")
        assert natural == ([480, 480, 720] if width == 1280 else [360, 360, 360])
        check_width(page)


def test_keys_reach_every_link_and_control_and_show_where_they_are(open_page: Callable[..., Page], site: str) -> None:
    page = open_page(f"{site}/studies/all%20states")
    settle(page)
    links = set(
        page.locator("a[href]:not(.modebar-btn)").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    )
    reached: set[str] = set()
    for _ in range(150):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUS)
        if focused["tag"] == "BODY":
            break
        assert focused["isMarked"], focused
        assert focused["isSeen"], focused
        reached.add(focused["href"] or focused["label"])
    assert links <= reached
    assert "Validation accuracy, the longest trainings first" in reached


def test_keys_can_skip_to_the_content(open_page: Callable[..., Page], site: str) -> None:
    page = open_page(f"{site}/studies/running")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_without_scripts_the_front_is_a_picture(open_page: Callable[..., Page], site: str) -> None:
    page = open_page(f"{site}/studies/all%20states", java_script_enabled=False)
    expect(page.locator("noscript img, img[alt='The Pareto front']").first).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(20)
    for waiting in page.get_by_text("The figure is being made.").all():
        expect(waiting).to_be_hidden()


def test_optunas_dashboard_opens_behind_the_guard(open_page: Callable[..., Page], site: str) -> None:
    page = open_page(f"{site}/dashboard")
    for below in ("", "/studies/1", "/studies/1/analytics", "/studies/1/trials", "/studies/1/trialTable"):
        page.goto(f"{site}/dashboard{below}")
        expect(page.get_by_text(re.compile("all states")).first).to_be_visible()
        page.wait_for_load_state("networkidle")


def test_only_who_knows_the_token_gets_in_and_nobody_can_write(open_page: Callable[..., Page], database: URL) -> None:
    with serving(database, token=TOKEN) as site:
        page = open_page(f"{site}/studies/running", expected="401")
        expect(page.locator("body")).to_contain_text("a token is needed")
        page.goto(f"{site}/studies/running?token={quote(TOKEN)}")
        expect(page.locator("h1")).to_have_text("running")
        assert page.url == f"{site}/studies/running"
        expect(page.locator(".pulse .time")).to_contain_text("Updated")
        for method in ("POST", "PUT", "DELETE"):
            assert page.request.fetch(f"{site}/api/studies/1", method=method).status == 405
        page.close()
