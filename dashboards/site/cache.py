"""Answers that are made once for all who ask for them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock

from dashboards.site.answers import Answer, tagged

_MOST = 64
"""Answers kept: a few for each study that people look at."""


@dataclass
class _Slot:
    lock: Lock = field(default_factory=Lock)
    version: str = ""
    answer: Answer | None = None


class Cache:
    """For each key the answer of one version; of several threads that want the same, one makes it."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._lock = Lock()
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()

    def get(self, key: Hashable, version: str, make: Callable[[], Answer]) -> Answer:
        """What `make` gives for this version, tagged with it; what it raises is raised and nothing is kept."""
        slot = self._slot(key)
        with slot.lock:
            if slot.answer is None or slot.version != version:
                slot.answer = tagged(make())
                slot.version = version
            return slot.answer

    def _slot(self, key: Hashable) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._most:
                self._slots.popitem(last=False)
            return slot
