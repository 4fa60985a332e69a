"""The browser of the tests: Debian's Chromium, or another one by its usual names."""

from __future__ import annotations

import shutil

_NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
"""As root Chromium has no sandbox; no name leads anywhere, so that nothing can leave this machine by one."""


def chromium() -> str | None:
    """Its path; None where there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)
