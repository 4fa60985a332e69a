"""Scripts and styles that pages load, each under an address that changes with its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from dashboards.ink.drawing import DARK, LIGHT, Theme
from dashboards.site.answers import FOR_EVER, Answer, tagged
from dashboards.site.board import MissingError

_SCRIPT, _STYLE, _PICTURE = "text/javascript; charset=utf-8", "text/css; charset=utf-8", "image/svg+xml"
_BELOW = "/assets/"


@dataclass(frozen=True)
class _Asset:
    read: Callable[[], bytes]
    kind: str


def address(name: str) -> str:
    """Of a script or style: `plotly.js`, `site.js`, `site.css` or `icon.svg`."""
    return f"{_BELOW}{_loaded(name).tag[:16]}-{name}"


def serve(file: str) -> Answer:
    """What is at such an address; MissingError, also for what had it in an earlier version."""
    tag, _, name = file.partition("-")
    if name not in _ASSETS or not _loaded(name).tag.startswith(tag) or len(tag) != 16:
        raise MissingError(f"there is no {_BELOW}{file}")
    return _loaded(name)


def themes() -> str:
    """JSON of what each colour of the light theme is in the dark one, for scripts that draw."""
    return json.dumps({LIGHT[name]: DARK[name] for name in LIGHT})


@cache
def _loaded(name: str) -> Answer:
    asset = _ASSETS[name]
    content = asset.read()
    tag = hashlib.sha256(content).hexdigest()[:32]
    return tagged(Answer(body=content, kind=asset.kind, tag=tag, cache=FOR_EVER))


def _own(name: str) -> bytes:
    return resources.files("dashboards.site").joinpath("static", name).read_bytes()


def _styles() -> bytes:
    """Our styles after the colours of pictures, so that both are the same."""
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {_colours(DARK)} }} }}"
    return f":root {{ {_colours(LIGHT)} }}\n{dark}\n".encode() + _own("site.css")


def _colours(theme: Theme) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in theme.items())


def _plotly() -> bytes:
    """The script that the installed plotly brings along."""
    return resources.files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()


_ASSETS = {
    "plotly.js": _Asset(_plotly, _SCRIPT),
    "site.js": _Asset(lambda: _own("site.js"), _SCRIPT),
    "site.css": _Asset(_styles, _STYLE),
    "icon.svg": _Asset(lambda: _own("icon.svg"), _PICTURE),
}
