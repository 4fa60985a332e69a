"""The drivers of a study: who is searching it now, on which machines, and which of them died.

Each driver has a row in a table of ours beside Optuna's, and renews it every few seconds by the database's clock, so
that the machines' own clocks need not agree.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import ColumnElement, Engine, false, func, insert, literal_column, select, text, true, update
from sqlalchemy.exc import DBAPIError

from search.tables import DRIVERS

INTERVAL = 5.0
"""Seconds between two signs of life."""
GRACE = 60.0
"""Seconds without one after which a driver on another machine counts as dead."""
WATCH = 20.0
"""Seconds that we must have been watching ourselves: after an outage of the database all signs of life are old."""


@dataclass(frozen=True)
class Driver:
    """One process that searches, or searched, a study."""

    number: int
    """Its own among all drivers of the database."""
    host: str
    pid: int
    silent: float
    """Seconds since its last sign of life, by the database's clock."""
    process_ended: bool
    """Known only on the machine that it runs on; False elsewhere."""

    def __str__(self) -> str:
        return f"{self.host} (process {self.pid})"


def present(engine: Engine, study: str) -> list[Driver]:
    """The drivers of a study that have not signed off; some of them may be dead."""
    query = select(DRIVERS, _now(engine).label("now")).where(DRIVERS.c.study == study, DRIVERS.c.gone == false())
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(DRIVERS.c.driver)).all()
    return [
        Driver(
            number=row.driver,
            host=row.host,
            pid=row.pid,
            silent=row.now - row.seen,
            process_ended=row.place == _place() != "" and _begun(row.pid) != row.begun,
        )
        for row in rows
    ]


def living(engine: Engine, study: str) -> list[Driver]:
    """The drivers of a study that are not known to be dead, judged by one look."""
    return [driver for driver in present(engine, study) if not driver.process_ended and driver.silent <= GRACE]


def ask_to_stop(engine: Engine, study: str) -> None:
    """Ask all present drivers of a study to end; they notice within INTERVAL."""
    with engine.begin() as connection:
        connection.execute(update(DRIVERS).where(DRIVERS.c.study == study).values(stop=true()))


class Presence:
    """This process as a driver of one study: signs of life from a thread of its own, and what it learns from them."""

    def __init__(self, engine: Engine, study: str) -> None:
        """Sign in; DBAPIError where the database is away."""
        self._engine = engine
        self._study = study
        row = {"study": study, "host": socket.gethostname(), "place": _place(), "pid": os.getpid()}
        statement = insert(DRIVERS).values(**row, begun=_begun(os.getpid()) or 0, seen=_now(engine))
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":  # or two that sign in at once would have the same ordinal
                connection.execute(text("LOCK TABLE petitnet_drivers IN SHARE ROW EXCLUSIVE MODE"))
            self.number = int(connection.execute(statement).inserted_primary_key[0])  # type: ignore[index]
            earlier = select(func.count()).where(DRIVERS.c.study == study, DRIVERS.c.driver < self.number)
            self.ordinal = int(connection.execute(earlier).scalar_one())
            """Drivers that the study had before."""
        self.told_to_stop = False
        self._watching_since = self._last = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_end, name="heartbeat", daemon=True)
        self._thread.start()

    def _beat_until_end(self) -> None:
        while not self._end.wait(INTERVAL):
            try:
                self.beat()
            except DBAPIError:  # an outage: whoever needs the database waits for it, and so do we
                continue

    def beat(self) -> None:
        """One sign of life."""
        mine = DRIVERS.c.driver == self.number
        with self._engine.begin() as connection:
            connection.execute(update(DRIVERS).where(mine).values(seen=_now(self._engine)))
            self.told_to_stop = bool(connection.execute(select(DRIVERS.c.stop).where(mine)).scalar_one())
        now = time.monotonic()
        if self._is_gap(now):
            self._watching_since = now
        self._last = now

    def _is_gap(self, now: float) -> bool:
        """Whether our own signs of life have failed to come, as in an outage of the database."""
        return now - self._last > 3 * INTERVAL

    def living(self) -> set[int]:
        """Numbers of the study's drivers that may be alive, this one included.

        A driver is dead if its process is seen to have ended, or if it has been silent for GRACE and we were watching
        for the last WATCH seconds without a gap of our own.
        """
        now = time.monotonic()
        watched = 0.0 if self._is_gap(now) else now - self._watching_since
        found = {self.number}
        for driver in present(self._engine, self._study):
            silent = driver.silent > GRACE and watched > WATCH
            if not driver.process_ended and not silent:
                found.add(driver.number)
        return found

    def leave(self) -> None:
        """Sign off; a database that is away is left as it is, and finds out by our silence."""
        self._end.set()
        self._thread.join(INTERVAL)
        try:
            with self._engine.begin() as connection:
                connection.execute(update(DRIVERS).where(DRIVERS.c.driver == self.number).values(gone=true()))
        except DBAPIError:
            pass


def _now(engine: Engine) -> ColumnElement[float]:
    """The database's clock, in seconds since 1970."""
    if engine.dialect.name == "sqlite":
        return literal_column("((julianday('now') - 2440587.5) * 86400.0)")
    return literal_column("extract(epoch from clock_timestamp())::float8")


@cache
def _place() -> str:
    """What two processes share if one can see whether the other runs; empty where that cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _begun(pid: int) -> int | None:
    """When a process began, in clock ticks since boot: a pid alone may be another's by now. None if it does not run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])
