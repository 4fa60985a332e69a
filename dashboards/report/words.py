"""Phrases that all parts of a report use."""

from __future__ import annotations

from dashboards.text import number
from space.candidate import Candidate


def times(count: int) -> str:
    """`once`, `5 times`."""
    return "once" if count == 1 else f"{number(count)} times"


def hashed(candidate: Candidate) -> str:
    """`#80`."""
    return f"#{candidate.number}"
