from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from dashboards.ink.labels import Box, Label, place

BOUNDS = Box(0, 0, 400, 300)
places = st.tuples(st.floats(0, 400), st.floats(0, 300))


@given(st.lists(places, max_size=12))
def test_labels_are_within_bounds_and_never_cover_each_other(points: list[tuple[float, float]]) -> None:
    labels = [Label(x, y, 60, 12) for x, y in points]
    sides = place(labels, points, BOUNDS)
    boxes = [label.box(side) for label, side in zip(labels, sides, strict=True) if side is not None]
    assert all(BOUNDS.holds(box) for box in boxes)
    assert not any(one.meets(other) for one, other in combinations(boxes, 2))


def test_a_label_avoids_other_points() -> None:
    label = Label(200, 150, 60, 12)
    assert place([label], [(200, 150)], BOUNDS) == ["middle right"]
    assert place([label], [(200, 150), (230, 150)], BOUNDS) == ["middle left"]


def test_a_label_at_the_edge_turns_inwards() -> None:
    assert place([Label(399, 150, 60, 12)], [(399, 150)], BOUNDS) == ["middle left"]


def test_a_label_for_which_there_is_no_room_is_left_out() -> None:
    assert place([Label(200, 150, 500, 12)], [], BOUNDS) == [None]
