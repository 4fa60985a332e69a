"""Who trains at a moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Crew:
    """The workers of one run that have begun."""

    workers: int = 0
    at_work: int = 0
    """Those that have a job."""
    gpus: float = 0.0
    """GPUs that those at work have; shared ones count by their share."""
