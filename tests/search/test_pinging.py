from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from sqlalchemy import Engine, create_engine, event, text

from search import pinging
from search.pinging import ping_idle
from tests.postgres import Server


@pytest.fixture
def engine(postgres: Server) -> Iterator[Engine]:
    found = create_engine(postgres.url(), pool_size=1, max_overflow=0)
    ping_idle(found)
    yield found
    found.dispose()


def backend(engine: Engine) -> int:
    """The server's process at the other end."""
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def end(postgres: Server, process: int) -> None:
    """As a restart of the server would."""
    other = create_engine(postgres.url(), isolation_level="AUTOCOMMIT")
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
    other.dispose()


def test_a_broken_connection_that_was_idle_is_made_anew(
    engine: Engine, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pinging, "IDLE", 0.0)
    first = backend(engine)
    end(postgres, first)
    assert backend(engine) != first


def test_a_connection_in_use_is_not_tried_each_time(engine: Engine) -> None:
    with patch.object(engine.dialect, "do_ping") as ping:
        assert backend(engine) == backend(engine) == backend(engine)
    ping.assert_not_called()


def test_an_idle_connection_that_works_stays(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinging, "IDLE", 0.0)
    made: list[int] = []
    event.listen(engine, "connect", lambda *_: made.append(1))
    assert backend(engine) == backend(engine)
    assert len(made) == 1
