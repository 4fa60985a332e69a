"""Phrases that all parts of a report use."""

from __future__ import annotations

from dashboards.text import number
from space.candidate import Candidate


def counted(count: int, noun: str) -> str:
    """`1 epoch`, `16 epochs`."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def times(count: int) -> str:
    """`once`, `5 times`."""
    return "once" if count == 1 else f"{number(count)} times"


def hashed(candidate: Candidate) -> str:
    """`#80`."""
    return f"#{candidate.number}"
