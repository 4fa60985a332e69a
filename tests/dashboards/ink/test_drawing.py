from __future__ import annotations

import io
from xml.etree import ElementTree

import pytest
from PIL import Image

from dashboards.ink.drawing import DARK, LIGHT, Line, Polygon, Shape, Sheet, Text, Theme, marker, png, svg

RED = "#FF0000"


def pixels(*shapes: Shape, theme: Theme = LIGHT) -> Image.Image:
    """Of a sheet of 100 by 50 pixels, which is twice as large as a PNG."""
    return Image.open(io.BytesIO(png(Sheet(100, 50, shapes), theme)))


def colours(image: Image.Image, box: tuple[int, int, int, int]) -> set[object]:
    part = image.crop(box)
    return {part.getpixel((x, y)) for x in range(part.width) for y in range(part.height)}


def test_a_png_has_four_pixels_for_each_of_the_sheet() -> None:
    assert pixels().size == (200, 100)


def test_a_filled_polygon_is_painted_where_it_is() -> None:
    image = pixels(Polygon(((10, 10), (30, 10), (30, 30), (10, 30)), RED))
    assert colours(image, (24, 24, 56, 56)) == {(255, 0, 0)}
    assert colours(image, (70, 0, 200, 100)) == {(255, 255, 255)}


def test_an_outline_is_empty() -> None:
    image = pixels(Polygon(((10, 10), (30, 10), (30, 30), (10, 30)), RED, filled=False))
    assert image.getpixel((40, 40)) == (255, 255, 255)
    assert image.getpixel((20, 40)) == (255, 0, 0)


def test_a_dashed_line_has_gaps_and_another_has_none() -> None:
    ends = ((0.0, 25.0), (100.0, 25.0))
    row = (0, 50, 200, 51)
    assert colours(pixels(Line(ends, RED, 2)), row) == {(255, 0, 0)}
    assert {(255, 0, 0), (255, 255, 255)} <= colours(pixels(Line(ends, RED, 2, dashed=True)), row)


def test_a_text_is_painted_on_its_side_of_its_place() -> None:
    before = pixels(Text((50, 30), "text", anchor="end"))
    assert len(colours(before, (0, 0, 100, 100))) > 1
    assert colours(before, (104, 0, 200, 100)) == {(255, 255, 255)}


def test_colours_by_name_are_the_themes() -> None:
    corners = ((0.0, 0.0), (50.0, 0.0), (50.0, 50.0), (0.0, 50.0))
    assert pixels(Polygon(corners, "ink"), theme=DARK).getpixel((20, 20)) == (0xE8, 0xE8, 0xE8)
    assert pixels(theme=DARK).getpixel((150, 50)) == (0x16, 0x18, 0x1C)


def test_an_svg_is_well_formed_whatever_its_texts_say() -> None:
    hostile = "</text><script>alert('&')</script>"
    root = ElementTree.fromstring(svg(Sheet(100, 50, (Text((5, 20), hostile, halo=True),))))
    assert [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")] == [hostile]
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_a_light_svg_turns_dark_for_those_who_prefer_it_and_a_dark_one_stays() -> None:
    sheet = Sheet(100, 50, (Text((5, 20), "text"),))
    assert "prefers-color-scheme:dark" in svg(sheet)
    assert "prefers-color-scheme" not in svg(sheet, DARK)
    assert DARK["ink"] in svg(sheet, DARK)


@pytest.mark.parametrize("symbol", ["circle", "diamond", "square", "triangle-up", "star", "cross", "x"])
def test_a_marker_is_about_as_wide_as_asked_and_in_its_place(symbol: str) -> None:
    filled, outlined = (marker(name, (50, 20), 10, RED) for name in (symbol, f"{symbol}-open"))
    across, down = ([place[axis] for place in filled.places] for axis in (0, 1))
    assert 8 < max(across) - min(across) < 12
    assert min(across) < 50 < max(across)
    assert min(down) < 20 < max(down)
    assert (filled.filled, outlined.filled) == (True, False)
    assert filled.places == outlined.places


def test_characters_that_xml_forbids_are_replaced() -> None:
    document = svg(Sheet(10, 10, (Text((0, 5), "a\x07b\ud800c<"),)))
    assert (
        ElementTree.fromstring(document).findtext(".//{*}text")
        == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c<"
    )
