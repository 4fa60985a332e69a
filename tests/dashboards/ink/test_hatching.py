from __future__ import annotations

import pytest

from dashboards.ink.hatching import hatched
from dashboards.ink.labels import Box


@pytest.mark.parametrize("hatch", ["/", "\\", "-", "x"])
def test_lines_end_on_the_edges_of_the_box(hatch: str) -> None:
    box = Box(3, 5, 40, 31)
    lines = hatched(box, hatch)
    assert lines
    for line in lines:
        for x, y in line.places:
            assert box.left <= x <= box.right
            assert box.top <= y <= box.bottom
            assert x in (box.left, box.right) or y in (box.top, box.bottom)


def test_slants_lean_to_their_sides() -> None:
    def slope(hatch: str) -> float:
        (x, y), (to_x, to_y) = hatched(Box(0, 0, 50, 50), hatch)[3].places
        return (to_y - y) / (to_x - x)

    assert slope("/") == -1
    assert slope("\\") == 1
    assert slope("-") == 0


def test_both_slants_make_a_net() -> None:
    box = Box(0, 0, 50, 50)
    assert len(hatched(box, "x")) == len(hatched(box, "/")) + len(hatched(box, "\\"))


def test_lines_go_on_in_the_next_box() -> None:
    left, right = hatched(Box(0, 0, 30, 20), "/"), hatched(Box(30, 0, 60, 20), "/")
    ends = {line.places[1] for line in left if line.places[1][0] == 30}
    assert ends
    assert ends == {line.places[0] for line in right if line.places[0][0] == 30}


def test_a_plain_surface_has_no_lines() -> None:
    assert hatched(Box(0, 0, 50, 50), "") == []
