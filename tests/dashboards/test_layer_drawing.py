from __future__ import annotations

import pytest

from dashboards.ink.drawing import Line, Polygon, Shape, Sheet, Text
from dashboards.layer_drawing import draw, groups, wording
from space.layers import BatchNorm, Conv, Dropout, Layer, Linear, MaxPool
from space.notation import read
from space.published import PUBLISHED, Published

LINE = "1x28x28-8c3pnrd0.1-P2-16c3-F-10fb"
LONG = f"3x32x32-{'-'.join(['8c3pnr'] * 18)}-P2-48c3pbrnd0.05-F-64fr-10fb"


def texts(sheet: Sheet) -> list[str]:
    return [shape.text for shape in sheet.shapes if isinstance(shape, Text)]


def places(shape: Shape) -> tuple[tuple[float, float], ...]:
    return (shape.place,) if isinstance(shape, Text) else shape.places


def reach(polygons: list[Polygon], axis: int) -> float:
    """How long something is, across (0) or down (1)."""
    along = [place[axis] for polygon in polygons for place in polygon.places]
    return max(along) - min(along)


def boxes(sheet: Sheet, count: int) -> list[list[Polygon]]:
    """The three faces of each of the `count` boxes, which are drawn before the bars beside them."""
    left = min(shape.place[0] for shape in sheet.shapes if isinstance(shape, Text) and shape.text == "image")
    faces = [shape for shape in sheet.shapes if isinstance(shape, Polygon) and places(shape)[0][0] < left]
    found = [faces[place : place + 3] for place in range(0, len(faces), 3)]
    assert len(found) == count
    return found


def test_a_group_is_what_the_notation_attaches_to_a_layer() -> None:
    found = groups(read(LINE))
    assert [group.token for group in found] == LINE.split("-")[1:]
    assert [group.shape for group in found] == [(8, 28, 28), (8, 14, 14), (16, 12, 12), (2304,), (10,)]
    assert found[0].parameters == 8 * 9 + 2 * 8


@pytest.mark.parametrize("network", PUBLISHED, ids=lambda network: network.name)
def test_the_groups_costs_are_those_of_the_network(network: Published) -> None:
    found, totals = groups(network.architecture), network.architecture.totals
    assert sum(group.parameters for group in found) == totals.parameters
    assert sum(group.macs for group in found) == totals.macs


def test_a_network_may_begin_with_a_layer_that_is_attached() -> None:
    assert [group.token for group in groups(read("1x8x8-n-4c3-G"))] == ["n", "4c3", "G"]


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Conv(8, 3, 1, True), "conv, filters 8, kernel 3, padding 1, bias"),
        (Conv(8, 3), "conv, filters 8, kernel 3"),
        (BatchNorm(), "batch norm"),
        (MaxPool(2), "max pool, size 2"),
        (Dropout(0.05), "dropout, rate 0.05"),
        (Linear(10, False), "linear, features 10"),
    ],
)
def test_what_is_off_is_not_worded(layer: Layer, words: str) -> None:
    assert wording(layer) == words


@pytest.mark.parametrize("width", [320, 360, 560, 720, 1000])
@pytest.mark.parametrize("line", [LINE, LONG, "1x8x8-2c1-G"])
def test_nothing_is_drawn_beside_the_sheet(width: int, line: str) -> None:
    sheet = draw(read(line), width)
    assert sheet.width == width
    for shape in sheet.shapes:
        for x, y in places(shape):
            assert 0 <= x <= width
            assert 0 <= y <= sheet.height


@pytest.mark.parametrize("width", [360, 720])
def test_every_group_is_told_with_its_output_and_its_costs(width: int) -> None:
    architecture = read(LINE)
    found = texts(draw(architecture, width))
    for group in groups(architecture):
        assert group.token in found
        assert "x".join(map(str, group.shape)) in found
        assert not group.parameters or f"{group.parameters:,}" in found
        assert not group.macs or f"{group.macs:,}" in found
    assert "conv, filters 8, kernel 3, padding 1" in found
    assert "batch norm + relu + dropout, rate 0.1" in found


@pytest.mark.parametrize("width", [360, 720])
def test_the_totals_are_at_the_end(width: int) -> None:
    architecture = read(LINE)
    sheet, totals = draw(architecture, width), architecture.totals
    below = [shape for shape in sheet.shapes if isinstance(shape, Text)]
    end = max(shape.place[1] for shape in below if shape.text == "10fb")
    told = " ".join(shape.text for shape in below if shape.place[1] > end)
    assert f"{totals.parameters:,} parameters" in told
    assert f"{totals.macs:,} MACs" in told
    assert f"{totals.peak_activation_bytes:,} bytes" in told


def test_boxes_are_to_scale() -> None:
    image, first, pooled, second, *_ = boxes(draw(read(LINE)), 6)
    lengths = [reach(box[:1], 0) for box in (image, first, pooled, second)]
    heights = [reach(box[:1], 1) for box in (image, first, pooled, second)]
    assert lengths == pytest.approx([lengths[0], 8 * lengths[0], 8 * lengths[0], 16 * lengths[0]])
    assert heights == pytest.approx([heights[0], heights[0], heights[0] / 2, heights[0] * 12 / 28])


def test_features_for_which_there_is_no_room_are_broken_off() -> None:
    def breaks(line: str) -> int:
        return sum(isinstance(shape, Line) and shape.colour == "paper" for shape in draw(read(line)).shapes)

    assert breaks("1x8x8-16c3-F-10fb") == 1
    assert breaks("1x8x8-16c3-G-10fb") == 0


def test_the_longest_bar_is_that_of_the_largest_cost() -> None:
    sheet = draw(read(LINE))
    headings = {shape.text: shape.place[0] for shape in sheet.shapes if isinstance(shape, Text)}
    bars = [
        shape
        for shape in sheet.shapes
        if isinstance(shape, Polygon) and headings["parameters"] - 20 < places(shape)[0][0] < headings["MACs"] - 20
    ]
    lengths = [reach([bar], 0) for bar in bars[1:]]
    costs = [group.parameters for group in groups(read(LINE)) if group.parameters]
    assert len(lengths) == len(costs)
    assert lengths.index(max(lengths)) == costs.index(max(costs))
    assert lengths[1] / lengths[2] == pytest.approx(costs[1] / costs[2])
