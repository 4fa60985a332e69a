"""Makes the pictures of the dashboard in docs/images, from made-up studies: python -m docs.screenshots

Needs the packages of the tests and a Chromium.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Connection, insert

from search import drivers, storage
from search.storage import Store
from search.tables import DRIVERS
from tests.browser.programs import OPTIONS, chromium
from tests.browser.serving import serving
from tests.studies_in_databases import confirm, make

IMAGES = Path(__file__).with_name("images")
NAME = "mnist-10000-0.994"
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
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        url = storage.parse(f"sqlite:///{directory}/studies.db")
        store = storage.open_or_create(url)
        winner = _fill(store)
        browser = playwright.chromium.launch(executable_path=chromium(), args=OPTIONS)
        with serving(url) as site:
            for name, address in _pages(winner).items():
                for look in LOOKS if name != "optuna" else ("wide",):
                    _save(browser, f"{site}{address}", IMAGES / f"dashboard-{name}-{look}.png", look)
        browser.close()
        store.close()


def _pages(winner: int) -> dict[str, str]:
    study = f"/studies/{NAME}"
    return {
        "studies": "/",
        "study": study,
        "candidates": f"{study}/candidates",
        "candidate": f"{study}/candidates/{winner}",
        "report": f"{study}/report",
        "optuna": "/dashboard/studies/1",
    }


def _fill(store: Store) -> int:
    """Three studies, one of which is being searched; the number of the first one's winner."""
    winner = confirm(make(store, NAME, 240, seed=2, is_over=True))
    make(store, "mnist-15000-0.995", 90, budget=15_000, target=0.995, seed=3)
    make(store, "mnist-20000-0.996", 0, budget=20_000, target=0.996)

    def sign_in(connection: Connection) -> None:
        row = {"study": "mnist-15000-0.995", "host": "trainer-1", "place": "", "pid": 4242, "begun": 0}
        connection.execute(insert(DRIVERS).values(**row, seen=drivers._now(store.engine)))

    store.write(sign_in)
    return winner


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
