"""What images were taken for: counts by their class (row) and by the class that they were taken for (column)."""

from __future__ import annotations

Confusion = tuple[tuple[int, ...], ...]
"""Square; row and column are numbers of classes."""


def accuracy(found: Confusion) -> float:
    """The fraction of the images that were taken for their own class; ZeroDivisionError if there are none."""
    return sum(row[place] for place, row in enumerate(found)) / sum(map(sum, found))
