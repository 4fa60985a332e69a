"""Makes the pictures of the dashboard in docs/images from a study: python -m docs.screenshots STORAGE STUDY

STORAGE is a database's URL; the study should have a winner. Needs the packages of the tests and a Chromium.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from search import options, storage
from search.ledger import Ledger
from tests.browser.programs import OPTIONS, chromium
from tests.browser.serving import serving

IMAGES = Path(__file__).with_name("images")
LOOKS: dict[str, tuple[int, Literal["light", "dark"]]] = {
    "wide": (1280, "light"),
    "narrow": (390, "light"),
    "dark": (1280, "dark"),
}
"""Width in pixels, and scheme of colours."""
_HIGHEST = {1280: 2200, 390: 2400}
"""Pixels, by width; what is below is cut off."""
_COLOURS = 160


def main() -> None:
    """All pages in all looks."""
    IMAGES.mkdir(exist_ok=True)
    place, name = sys.argv[1:]
    url = storage.parse(place)
    with options.reading(url) as store:
        winner = Ledger.open(store, name).winner
    assert winner is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=OPTIONS)
        with serving(url) as site:
            for page, address in _pages(name, winner).items():
                for look in LOOKS if page != "optuna" else ("wide",):
                    _save(browser, f"{site}{address}", IMAGES / f"dashboard-{page}-{look}.png", look)
        browser.close()


def _pages(name: str, winner: int) -> dict[str, str]:
    study = f"/studies/{quote(name, safe='')}"
    return {
        "studies": "/",
        "study": study,
        "candidates": f"{study}/candidates",
        "candidate": f"{study}/candidates/{winner}",
        "report": f"{study}/report",
        "optuna": "/dashboard/studies/1",
    }


def _save(browser: Browser, address: str, file: Path, look: str) -> None:
    width, scheme = LOOKS[look]
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    _settle(page)
    image = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    shown = image.crop((0, 0, width, min(image.height, _HIGHEST[width])))
    shown.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file.name}: {shown.width} x {shown.height}, {file.stat().st_size / 1000:.0f} kB")
    context.close()


def _settle(page: Page) -> None:
    """Until all figures are drawn."""
    for frame in page.locator("[data-figure]").all():
        frame.scroll_into_view_if_needed()
        frame.locator(".notes li").first.wait_for(state="attached")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(1000)


if __name__ == "__main__":
    main()
