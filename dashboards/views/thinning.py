"""Fewer points than there are, where a picture has more than can be told apart or drawn in time."""

from __future__ import annotations

from collections.abc import Collection

MOST_POINTS = 500
"""Of one series."""


def places(count: int, kept: Collection[int] = (), most: int = MOST_POINTS) -> list[int]:
    """Which of `count` are drawn, in order: all if they are at most `most`, else `most` at equal steps and `kept`."""
    if count <= most:
        return list(range(count))
    return sorted({*(place * count // most for place in range(most)), *kept})


def note(drawn: int, count: int, what: str) -> list[str]:
    """A line for the reader, if some were left out."""
    return [f"Thinned: {drawn:,} of {count:,} {what} are drawn."] if drawn < count else []
