"""Lines, polygons and texts on a sheet, written as SVG or PNG without a browser.

Lengths are pixels from the upper left corner. A colour is `#RRGGBB` or the name of one in the themes.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import cos, dist, pi, sin
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

Place = tuple[float, float]
Anchor = Literal["start", "middle", "end"]
Theme = dict[str, str]

LIGHT: Theme = {"paper": "#FFFFFF", "ink": "#222222", "faint": "#666666", "grid": "#E4E4E4", "band": "#F6F6F6"}
DARK: Theme = {"paper": "#16181C", "ink": "#E8E8E8", "faint": "#A8A8A8", "grid": "#33363C", "band": "#1D2025"}

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow."""
_UNKNOWN = "\ufffd"
_DASH = 5.0
_HALO = 2.0
"""Pixels around a text."""
_SCALE = 2
"""Pixels of a PNG a pixel of the sheet, for screens with small ones."""
_OVER = 2
"""A PNG is drawn this many times larger and then made smaller, which smooths its edges."""


@dataclass(frozen=True)
class Line:
    """Straight pieces from place to place."""

    places: tuple[Place, ...]
    colour: str
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True)
class Polygon:
    """Filled, or with an outline of 1.5 pixels alone."""

    places: tuple[Place, ...]
    colour: str
    filled: bool = True


@dataclass(frozen=True)
class Text:
    """One line; `place` is on its baseline."""

    place: Place
    text: str
    size: float = 12.0
    anchor: Anchor = "start"
    colour: str = "ink"
    halo: bool = False
    """Whether it is outlined in the colour of the paper, to be read across lines."""


Shape = Line | Polygon | Text


@dataclass(frozen=True)
class Sheet:
    """Shapes in the order in which they are drawn."""

    width: int
    height: int
    shapes: tuple[Shape, ...]


def text_width(text: str, size: float) -> float:
    """About how wide a text is in a sans-serif font; exact widths differ by font."""
    return 0.53 * size * len(text)


def marker(symbol: str, place: Place, size: float, colour: str) -> Polygon:
    """A symbol by its plotly name, `size` pixels wide."""
    name = symbol.removesuffix("-open")
    x, y = place
    outline = tuple((x + size / 2 * dx, y + size / 2 * dy) for dx, dy in _OUTLINES[name])
    return Polygon(outline, colour, filled=not symbol.endswith("-open"))


def svg(sheet: Sheet, theme: Theme = LIGHT) -> str:
    """A document of its own; where the theme is the light one, a viewer that prefers the dark one gets that."""
    body = "\n".join(_svg(shape, theme) for shape in sheet.shapes)
    dark = "".join(f".f-{name}{{fill:{colour}}}.s-{name}{{stroke:{colour}}}" for name, colour in DARK.items())
    style = f"<style>@media (prefers-color-scheme:dark){{{dark}}}</style>\n" if theme is LIGHT else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{sheet.width}" height="{sheet.height}" '
        f'viewBox="0 0 {sheet.width} {sheet.height}" font-family="Helvetica, Arial, DejaVu Sans, sans-serif">\n'
        f"{style}{_svg(_background(sheet), theme)}\n{body}\n</svg>\n"
    )


def png(sheet: Sheet, theme: Theme = LIGHT) -> bytes:
    """The same in pixels, two by two for each of the sheet; Pillow brings the font along."""
    from PIL import Image, ImageDraw

    scale = _SCALE * _OVER
    image = Image.new("RGB", (sheet.width * scale, sheet.height * scale), theme["paper"])
    canvas = ImageDraw.Draw(image)
    for shape in sheet.shapes:
        _paint(canvas, shape, theme, scale)
    smaller = image.resize((sheet.width * _SCALE, sheet.height * _SCALE), Image.Resampling.BOX)
    return _encoded(smaller)


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _background(sheet: Sheet) -> Polygon:
    return Polygon(((0, 0), (sheet.width, 0), (sheet.width, sheet.height), (0, sheet.height)), "paper")


def _svg(shape: Shape, theme: Theme) -> str:
    colour = theme.get(shape.colour, shape.colour)
    match shape:
        case Text():
            return _svg_text(shape, theme)
        case Line(width=width, dashed=dashed):
            tag, fill, stroke = "polyline", "none", colour
            more = f' stroke-width="{width:g}"' + (f' stroke-dasharray="{_DASH:g}"' if dashed else "")
        case Polygon(filled=filled):
            tag, fill, stroke = "polygon", colour if filled else "none", "none" if filled else colour
            more = "" if filled else ' stroke-width="1.5"'
    named = f'class="{"s" if fill == "none" else "f"}-{shape.colour}" ' if shape.colour in theme else ""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.places)
    return f'<{tag} {named}points="{places}" fill="{fill}" stroke="{stroke}"{more}/>'


def _svg_text(text: Text, theme: Theme) -> str:
    names = [f"f-{text.colour}"] if text.colour in theme else []
    halo = ""
    if text.halo:
        names.append("s-paper")
        halo = f' stroke="{theme["paper"]}" stroke-width="{2 * _HALO:g}" paint-order="stroke"'
    named = f'class="{" ".join(names)}" ' if names else ""
    x, y = text.place
    return (
        f'<text {named}x="{x:.1f}" y="{y:.1f}" font-size="{text.size:g}" text-anchor="{text.anchor}" '
        f'fill="{theme.get(text.colour, text.colour)}"{halo}>{escape(_FORBIDDEN.sub(_UNKNOWN, text.text))}</text>'
    )


def _paint(canvas: ImageDraw.ImageDraw, shape: Shape, theme: Theme, scale: int) -> None:
    from PIL import ImageFont

    colour = theme.get(shape.colour, shape.colour)
    if isinstance(shape, Text):
        font = ImageFont.load_default(shape.size * scale)
        x, y = shape.place
        anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
        halo = _HALO * scale if shape.halo else 0
        place = (x * scale, y * scale)
        canvas.text(place, shape.text, colour, font, anchor, stroke_width=halo, stroke_fill=theme["paper"])
        return
    places = [(x * scale, y * scale) for x, y in shape.places]
    if isinstance(shape, Line):
        for piece in _dashes(places, _DASH * scale) if shape.dashed else [places]:
            canvas.line(piece, fill=colour, width=round(shape.width * scale), joint="curve")
    elif shape.filled:
        canvas.polygon(places, fill=colour)
    else:
        canvas.line([*places, *places[:2]], fill=colour, width=round(1.5 * scale), joint="curve")


def _dashes(places: list[Place], length: float) -> list[list[Place]]:
    """Every second piece of `length` along a line; each corner begins anew."""
    found = []
    for (x, y), (to_x, to_y) in pairwise(places):
        whole = dist((x, y), (to_x, to_y))
        count = max(1, round(whole / length))
        step = ((to_x - x) / count, (to_y - y) / count)
        found += [
            [(x + i * step[0], y + i * step[1]), (x + (i + 1) * step[0], y + (i + 1) * step[1])]
            for i in range(0, count, 2)
        ]
    return found


def _round(corners: int, *radii: float) -> tuple[Place, ...]:
    """Corners on circles of the radii in turn, the first at the top."""
    return tuple(
        (
            radii[i % len(radii)] * sin(2 * pi * i / corners),
            -radii[i % len(radii)] * cos(2 * pi * i / corners),
        )
        for i in range(corners)
    )


_ARM = 0.35
_CROSS: tuple[Place, ...] = (
    *((-_ARM, -1), (_ARM, -1), (_ARM, -_ARM), (1, -_ARM), (1, _ARM), (_ARM, _ARM)),
    *((_ARM, 1), (-_ARM, 1), (-_ARM, _ARM), (-1, _ARM), (-1, -_ARM), (-_ARM, -_ARM)),
)
_OUTLINES: dict[str, tuple[Place, ...]] = {
    "circle": _round(24, 1.0),
    "diamond": _round(4, 1.15),
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "triangle-up": _round(3, 1.15),
    "star": _round(10, 1.0, 0.45),
    "cross": _CROSS,
    "x": tuple(((x - y) * 0.72, (x + y) * 0.72) for x, y in _CROSS),
}
