"""Waits out an outage of the study database: what it breaks is tried again until it works or patience ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError

from dashboards.text import duration

T = TypeVar("T")

STORAGE_TIMEOUT = 300.0
"""Seconds that an outage may last."""
_SHORTEST, _LONGEST = 0.1, 5.0
"""Seconds between two attempts: doubled each time."""
_GLANCE = 0.2
"""Seconds after which a wait notices that it was given up."""
_PASSING = ("08", "25006", "40", "53", "57P")
"""What the SQLSTATE of an error begins with that passes by itself: lost connections, a standby taking over, deadlocks,
too many connections, shutting down and starting up (PostgreSQL's manual, appendix A)."""


def passes(error: BaseException) -> bool:
    """Whether an error of the database may be gone when the same is tried again."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if isinstance(cause, PendingRollbackError):  # Optuna went on with a session whose connection was lost
        return True
    if not isinstance(cause, DBAPIError):
        return False
    state = getattr(cause.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_PASSING)
    if type(cause.orig).__module__ == "sqlite3":
        return "locked" in str(cause.orig) or "busy" in str(cause.orig)
    return cause.connection_invalidated or isinstance(cause, OperationalError | InterfaceError)


class Patience:
    """How long one process waits for its database, and whom it tells."""

    def __init__(self, seconds: float = STORAGE_TIMEOUT) -> None:
        self.seconds = seconds
        self.tell: Callable[[str | None], None] = lambda _: None
        """Called with one line for each wait, and with None when the database is back."""
        self.given_up = False
        """Set from outside, a signal handler for one, to end a wait at once."""

    def run(self, call: Callable[[], T]) -> T:
        """What `call` gives back; its own error once an outage has lasted too long or waiting was given up."""
        begun: float | None = None
        pause = _SHORTEST
        while True:
            try:
                result = call()
            except (StorageInternalError, DBAPIError) as error:
                begun = begun or time.monotonic()
                waited = time.monotonic() - begun
                if not passes(error) or waited + pause > self.seconds or self.given_up:
                    raise
                self.tell(
                    f"the study database is away since {duration(waited)}; waiting up to {duration(self.seconds)}"
                )
                self._sleep(pause)
                pause = min(2 * pause, _LONGEST)
            else:
                if begun is not None:
                    self.tell(None)
                return result

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.given_up and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _GLANCE))
