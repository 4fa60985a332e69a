"""Connections that have lain idle are tried before they are used: the server may have gone and come back.

SQLAlchemy's own `pool_pre_ping` tries every connection every time, which was a quarter of the messages that a candidate
costs. One that was just in use hardly ever breaks, and what breaks it is waited for like any outage.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

IDLE = 1.0
"""Seconds without use, after which a connection is tried."""
_USED = "petitnet_used"


def ping_idle(engine: Engine) -> None:
    """Have a pool try connections that were idle; where one is broken all are made anew."""

    def note(_connection: Any, record: Any) -> None:
        record.info[_USED] = time.monotonic()

    def ping(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get(_USED, time.monotonic()) < IDLE:
            return
        assert engine.dialect.dbapi is not None
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", note)
    event.listen(engine, "checkout", ping)
