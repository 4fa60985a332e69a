"""What is known of a study as a whole, besides its trials: Optuna's user attributes of a study."""

from __future__ import annotations

import time
from typing import Any

import optuna

from search.patient_storage import PatientStorage

RECENT = 0.2
"""Seconds for which what was read of a study is good enough to learn from: other drivers' results may come as late."""


def is_recent(moment: float) -> bool:
    """Whether what was read at this time.monotonic() is good enough still."""
    return time.monotonic() - moment < RECENT


class StudyAttributes:
    """Those of one study. Any number of processes may read and write at once."""

    def __init__(self, storage: PatientStorage, study: optuna.Study, identity: int) -> None:
        """`identity` is the study's number in the database."""
        self._storage = storage
        self._study = study
        self._identity = identity
        self._read: dict[str, Any] = {}
        self.read_at = float("-inf")
        """time.monotonic() of the last reading that still holds."""

    def all(self) -> dict[str, Any]:
        """As they are stored now."""
        self._read, self.read_at = self._storage.get_study_user_attrs(self._identity), time.monotonic()
        return self._read

    def recent(self) -> dict[str, Any]:
        """As they are, or were a moment ago."""
        return self._read if is_recent(self.read_at) else self.all()

    def write(self, key: str, value: Any) -> None:
        """Set one of them; `value` is kept as JSON."""
        self._study.set_user_attr(key, value)
        self.read_at = float("-inf")
