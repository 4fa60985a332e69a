"""Random seeds that follow from the study's one, so that a study can be repeated."""

from __future__ import annotations

import hashlib


def derive(seed: int, *path: int | str) -> int:
    """A seed from 0 to 2**32 - 1 for one use; every path has its own, the same on every machine."""
    return int.from_bytes(hashlib.sha256(repr((seed, *path)).encode()).digest()[:4])
