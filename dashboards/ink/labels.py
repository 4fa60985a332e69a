"""Where the labels of points go, so that they cover neither each other nor other points, as far as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_GAP = 10.0
"""Pixels between a point and its label."""
_POINT = 4.0
"""Half the width of a point, pixels."""

SIDES = {
    "middle right": (1, 0),
    "middle left": (-1, 0),
    "top center": (0, -1),
    "bottom center": (0, 1),
    "top right": (1, -1),
    "bottom right": (1, 1),
    "top left": (-1, -1),
    "bottom left": (-1, 1),
}
"""The sides as plotly calls them, in the order in which they are tried, and their directions: right, down."""


class Box(NamedTuple):
    """Pixels from the upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two have something in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        """Whether the other lies within this one."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


class Label(NamedTuple):
    """A text of some size that belongs to the point (x, y); pixels."""

    x: float
    y: float
    width: float
    height: float

    def box(self, side: str) -> Box:
        """Where it lies if it is put there."""
        right, down = SIDES[side]
        middle_x = self.x + right * (self.width / 2 + _GAP)
        gap = _GAP if right == 0 else 0.0
        middle_y = self.y + down * (self.height / 2 + gap)
        return Box(
            middle_x - self.width / 2,
            middle_y - self.height / 2,
            middle_x + self.width / 2,
            middle_y + self.height / 2,
        )


def place(labels: Sequence[Label], points: Sequence[tuple[float, float]], bounds: Box) -> list[str | None]:
    """A side for each label in turn: the one that covers the fewest points; None where every side covers a label.

    `points` are all that are drawn, and what lies outside `bounds` is never chosen.
    """
    boxes = [Box(x - _POINT, y - _POINT, x + _POINT, y + _POINT) for x, y in points]
    taken: list[Box] = []
    sides: list[str | None] = []
    for label in labels:
        free = [
            side
            for side in SIDES
            if bounds.holds(label.box(side)) and not any(label.box(side).meets(box) for box in taken)
        ]
        best = min(free, key=lambda side: sum(label.box(side).meets(box) for box in boxes), default=None)
        sides.append(best)
        if best is not None:
            taken.append(label.box(best))
    return sides
