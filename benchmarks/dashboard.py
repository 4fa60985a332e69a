"""How long the dashboard's pages take on a study of 5,000 candidates, and how much memory its server needs.

    python -m benchmarks.dashboard [CANDIDATES]

The study is made up (tests/studies_in_databases.py), in SQLite in a temporary directory; nothing is trained. Each
page is asked for twice by this process, compressed: the first time the server reads the study or makes the figure, the
second time it has it. Where there is a Chromium, the study's page is also opened in it, with an empty cache and again,
until its Pareto front is drawn.
"""

from __future__ import annotations

import http.client
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.browser.programs import OPTIONS, chromium
from tests.studies_in_databases import make_at

CANDIDATES = 5000
_STUDY = "/studies/big"
_FIGURES = ("pareto-parameters", "history", "epochs", "pruned", "importance", "curves", "losses", "proposals")
PAGES = (
    "/",
    "/now",
    _STUDY,
    *(f"{_STUDY}/{part}" for part in ("now", "best", "pareto.svg")),
    *(f"{_STUDY}/figures/{figure}.json" for figure in _FIGURES),
    *(f"{_STUDY}/{part}" for part in ("report", "candidates", "candidates/7", "candidates/7/layers.svg")),
)


def main(candidates: int) -> None:
    """Make the study, serve it, print."""
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/studies.db"
        began = time.perf_counter()
        make_at(url, "big", candidates)
        print(f"{candidates} candidates, made in {time.perf_counter() - began:.0f} s; {os.cpu_count()} cores", end="")
        print(f" ({platform.machine()}), Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
        program = str(Path(sys.executable).with_name("search"))
        with subprocess.Popen(
            [program, "dashboard", "--port", "0", "--storage", url], stderr=subprocess.PIPE, text=True
        ) as server:
            try:
                assert server.stderr is not None
                _measure(server.pid, urlsplit(server.stderr.readline().split()[1]).netloc)
            finally:
                server.terminate()


def _measure(pid: int, netloc: str) -> None:
    print(f"memory before the first page: {_resident(pid):.0f} MB")
    print(f"{'page':<48}{'first':>9}{'again':>9}{'kB':>9}")
    for page in PAGES:
        first, _ = _ask(netloc, page)
        again, size = _ask(netloc, page)
        print(f"{page:<48}{first:>7.2f} s{again:>7.2f} s{size / 1000:>9.1f}")
    print(f"memory after all pages: {_resident(pid):.0f} MB")
    program = chromium()
    if program is not None:
        first, again = _browse(program, f"http://{netloc}{_STUDY}")
        print(f"in Chromium, until the front is drawn: {first:.2f} s, again {again:.2f} s")


def _ask(netloc: str, page: str) -> tuple[float, int]:
    """Seconds and bytes."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection(netloc, timeout=120)
    connection.request("GET", page, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    size = len(answer.read())
    assert answer.status == 200, (page, answer.status)
    connection.close()
    return time.perf_counter() - began, size


def _resident(pid: int) -> float:
    """Megabytes of memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _browse(program: str, address: str) -> tuple[float, float]:
    """Seconds of two visits."""
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        page = browser.new_page()
        for _ in range(2):
            began = time.perf_counter()
            page.goto(address)
            page.wait_for_selector("[data-figure*=pareto] .scatterlayer .trace path", state="attached")
            found.append(time.perf_counter() - began)
        browser.close()
    return found[0], found[1]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CANDIDATES)
