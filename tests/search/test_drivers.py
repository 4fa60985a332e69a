from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, select, text, update
from sqlalchemy.exc import DBAPIError

from search import drivers
from search.drivers import Presence, ask_to_stop, living, present
from search.tables import DRIVERS, TABLES

ROOT = Path(__file__).parents[2]
ELSEWHERE = "another machine"
SignIn = Callable[..., Presence]


class Clock:
    """Our own clock, which goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """So long a time between two signs of life that the test gives all of them."""
    monkeypatch.setattr(drivers, "INTERVAL", 1000.0)
    monkeypatch.setattr(drivers, "WATCH", 4000.0)
    monkeypatch.setattr(drivers, "GRACE", 12000.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(drivers, "time", made)
    return made


@contextmanager
def only_drivers(url: str) -> Iterator[Engine]:
    """A database without the tables of Optuna, which take longer to make than a test takes."""
    made = create_engine(url)
    TABLES.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def engine(any_database: str) -> Iterator[Engine]:
    with only_drivers(any_database) as made:
        yield made


@pytest.fixture
def here(database: str) -> Iterator[Engine]:
    """SQLite alone, for what does not depend on the database."""
    with only_drivers(database) as made:
        yield made


@contextmanager
def signing_in(engine: Engine) -> Iterator[SignIn]:
    begun: list[Presence] = []

    def sign_in(study: str = "study") -> Presence:
        presence = Presence(engine, study)
        begun.append(presence)
        return presence

    try:
        yield sign_in
    finally:
        for presence in begun:
            presence.leave()


@pytest.fixture
def sign_in(engine: Engine) -> Iterator[SignIn]:
    """Makes a driver on either database; it is gone after the test."""
    with signing_in(engine) as made:
        yield made


@pytest.fixture
def sign_in_here(here: Engine) -> Iterator[SignIn]:
    with signing_in(here) as made:
        yield made


@contextmanager
def away(engine: Engine) -> Iterator[list[Any]]:
    """Nobody can work with the drivers meanwhile; collects the errors that come of it."""
    errors: list[Any] = []
    event.listen(engine, "handle_error", errors.append)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE petitnet_drivers RENAME TO hidden"))
    try:
        yield errors
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE hidden RENAME TO petitnet_drivers"))


def change(engine: Engine, presence: Presence, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(update(DRIVERS).where(DRIVERS.c.driver == presence.number).values(**values))


def silence(engine: Engine, presence: Presence, seconds: float) -> None:
    change(engine, presence, seen=DRIVERS.c.seen - seconds)


def seen(engine: Engine, presence: Presence) -> float:
    with engine.connect() as connection:
        return float(connection.execute(select(DRIVERS.c.seen).filter_by(driver=presence.number)).scalar_one())


def numbers(engine: Engine, study: str = "study") -> list[int]:
    return [driver.number for driver in present(engine, study)]


def watch(presence: Presence, clock: Clock, seconds: float) -> None:
    """Give a sign of life at each interval for at least so long."""
    for _ in range(ceil(seconds / drivers.INTERVAL)):
        clock.now += drivers.INTERVAL
        presence.beat()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def heartbeats() -> int:
    return sum(thread.name == "heartbeat" for thread in threading.enumerate())


def test_numbers_grow_and_ordinals_count_the_studys_drivers_only(sign_in: SignIn) -> None:
    first, other, second = sign_in("study"), sign_in("another"), sign_in("study")
    first.leave()
    third = sign_in("study")
    assert first.number < other.number < second.number < third.number
    assert [first.ordinal, second.ordinal, third.ordinal] == [0, 1, 2]
    assert other.ordinal == 0


def test_the_number_of_one_who_left_is_not_given_again(sign_in: SignIn) -> None:
    first = sign_in()
    first.leave()
    assert sign_in().number > first.number


def test_drivers_that_sign_in_at_the_same_time_have_ordinals_of_their_own(engine: Engine, sign_in: SignIn) -> None:
    has_begun, other_has_ended = threading.Event(), threading.Event()

    def hold_the_first(*about: Any) -> None:
        if "INSERT INTO petitnet_drivers" in about[2] and not has_begun.is_set():
            has_begun.set()
            other_has_ended.wait(0.5)  # in vain where the other has to wait for this one

    event.listen(engine, "after_cursor_execute", hold_the_first)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(sign_in)
        assert has_begun.wait(60)
        second = pool.submit(sign_in)
        second.add_done_callback(lambda _: other_has_ended.set())
        assert sorted([first.result().ordinal, second.result().ordinal]) == [0, 1]


def test_signing_in_where_the_database_is_away_is_its_error(engine: Engine) -> None:
    before = heartbeats()
    with away(engine), pytest.raises(DBAPIError):
        Presence(engine, "study")
    assert heartbeats() == before


def test_the_present_are_those_of_one_study_who_did_not_leave(engine: Engine, sign_in: SignIn) -> None:
    first, second, other = sign_in(), sign_in(), sign_in("another")
    assert numbers(engine) == [first.number, second.number]
    assert numbers(engine, "another") == [other.number]
    first.leave()
    assert numbers(engine) == [second.number]
    assert numbers(engine, "a third") == []


def test_one_who_has_just_signed_in_is_alive_for_itself_and_for_others(engine: Engine, sign_in: SignIn) -> None:
    first, second = sign_in(), sign_in()
    sign_in("another")
    both = {first.number, second.number}
    assert {driver.number for driver in living(engine, "study")} == both
    assert first.living() == second.living() == both
    assert not any(driver.process_ended for driver in present(engine, "study"))


def test_silence_is_told_by_the_databases_clock(engine: Engine, sign_in: SignIn) -> None:
    fresh, old = sign_in(), sign_in()
    silence(engine, old, 5000)
    silent = {driver.number: driver.silent for driver in present(engine, "study")}
    assert -1 < silent[fresh.number] < 1000
    assert 4999 < silent[old.number] < 6000
    old.beat()
    assert all(driver.silent < 1000 for driver in present(engine, "study"))


def test_a_stop_reaches_all_present_drivers_of_the_study_and_nobody_else(engine: Engine, sign_in: SignIn) -> None:
    first, second, other = sign_in(), sign_in(), sign_in("another")
    ask_to_stop(engine, "study")
    later = sign_in()
    for presence in (first, second, other, later):
        assert not presence.told_to_stop
        presence.beat()
    assert first.told_to_stop
    assert second.told_to_stop
    assert not other.told_to_stop
    assert not later.told_to_stop


DRIVE = """
import sys, time
from sqlalchemy import create_engine
from search.drivers import Presence
print(Presence(create_engine(sys.argv[1]), "study").number, flush=True)
time.sleep(600)
"""


def test_one_killed_on_this_machine_is_dead_at_once(any_database: str, engine: Engine, sign_in: SignIn) -> None:
    presence = sign_in()
    command = [sys.executable, "-c", DRIVE, any_database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        number = int(process.stdout.readline())
        assert presence.living() == {presence.number, number}
        assert {driver.pid for driver in living(engine, "study") if driver.number == number} == {process.pid}
        process.kill()
        wait_until(lambda: presence.living() == {presence.number})  # a zombie: nobody has waited for it
        assert [driver.number for driver in living(engine, "study")] == [presence.number]
        process.wait()
        assert presence.living() == {presence.number}
    assert numbers(engine) == [presence.number, number]


def test_a_pid_that_is_another_processs_by_now_does_not_count(here: Engine, sign_in_here: SignIn) -> None:
    presence, other = sign_in_here(), sign_in_here()
    change(here, other, begun=DRIVERS.c.begun - 1)
    assert presence.living() == {presence.number}
    assert [driver.number for driver in living(here, "study")] == [presence.number]


def test_processes_of_another_machine_are_not_looked_for_here(here: Engine, sign_in_here: SignIn) -> None:
    presence, other = sign_in_here(), sign_in_here()
    change(here, other, begun=0, place=ELSEWHERE)
    assert presence.living() == {presence.number, other.number}
    assert len(living(here, "study")) == 2


def test_where_places_cannot_be_told_no_process_has_ended(
    here: Engine, sign_in_here: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drivers, "_place", lambda: "")
    presence, other = sign_in_here(), sign_in_here()
    change(here, other, begun=0)
    assert presence.living() == {presence.number, other.number}


def test_one_look_takes_the_silent_for_dead(here: Engine, sign_in_here: SignIn) -> None:
    quiet, silent = sign_in_here(), sign_in_here()
    silence(here, quiet, drivers.GRACE - 1000)
    silence(here, silent, drivers.GRACE + 1000)
    assert [driver.number for driver in living(here, "study")] == [quiet.number]


def test_one_on_another_machine_is_dead_after_its_silence_and_our_watching(
    here: Engine, sign_in_here: SignIn, clock: Clock
) -> None:
    presence, other = sign_in_here(), sign_in_here()
    change(here, other, place=ELSEWHERE)
    silence(here, other, drivers.GRACE + 1000)
    both = {presence.number, other.number}
    assert presence.living() == both  # we have just come
    watch(presence, clock, drivers.WATCH - drivers.INTERVAL)
    assert presence.living() == both
    watch(presence, clock, 2 * drivers.INTERVAL)
    assert presence.living() == {presence.number}
    other.beat()
    assert presence.living() == both


def test_watching_alone_kills_nobody(here: Engine, sign_in_here: SignIn, clock: Clock) -> None:
    presence, other = sign_in_here(), sign_in_here()
    change(here, other, place=ELSEWHERE)
    silence(here, other, drivers.GRACE - 1000)
    watch(presence, clock, 2 * drivers.GRACE)
    assert presence.living() == {presence.number, other.number}


def test_nobody_is_judged_after_an_outage_until_we_have_watched_again(
    here: Engine, sign_in_here: SignIn, clock: Clock
) -> None:
    presence, other = sign_in_here(), sign_in_here()
    both = {presence.number, other.number}
    change(here, other, place=ELSEWHERE)
    watch(presence, clock, 2 * drivers.WATCH)
    silence(here, other, drivers.GRACE + 1000)
    assert presence.living() == {presence.number}
    clock.now += drivers.GRACE
    presence.beat()
    assert presence.living() == both
    watch(presence, clock, drivers.WATCH - drivers.INTERVAL)
    assert presence.living() == both
    watch(presence, clock, 2 * drivers.INTERVAL)
    assert presence.living() == {presence.number}


def test_nobody_is_judged_between_an_outage_and_our_first_sign_of_life(
    here: Engine, sign_in_here: SignIn, clock: Clock
) -> None:
    presence, other = sign_in_here(), sign_in_here()
    change(here, other, place=ELSEWHERE)
    watch(presence, clock, 2 * drivers.WATCH)
    clock.now += 2 * drivers.GRACE  # the database was away, so that nobody could give a sign of life
    silence(here, other, 2 * drivers.GRACE)
    assert presence.living() == {presence.number, other.number}


def test_we_are_alive_to_ourselves_whatever_the_database_says(here: Engine, sign_in_here: SignIn, clock: Clock) -> None:
    presence = sign_in_here()
    watch(presence, clock, 2 * drivers.WATCH)
    silence(here, presence, 2 * drivers.GRACE)
    assert presence.living() == {presence.number}


def test_a_thread_gives_signs_of_life_and_hears_of_a_stop(
    engine: Engine, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drivers, "INTERVAL", 0.01)
    presence = sign_in()
    before = seen(engine, presence)
    silence(engine, presence, 5000)
    wait_until(lambda: seen(engine, presence) >= before)
    assert not presence.told_to_stop
    ask_to_stop(engine, "study")
    wait_until(lambda: presence.told_to_stop)


def test_signs_of_life_go_on_after_an_outage(engine: Engine, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "INTERVAL", 0.01)
    presence = sign_in()
    with away(engine) as errors:
        wait_until(lambda: len(errors) >= 3)
    before = seen(engine, presence)
    silence(engine, presence, 5000)
    wait_until(lambda: seen(engine, presence) >= before)


def test_signs_of_life_end_with_leaving(engine: Engine, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "INTERVAL", 0.01)
    before = heartbeats()
    presence = sign_in()
    assert heartbeats() == before + 1
    presence.leave()
    assert heartbeats() == before
    last = seen(engine, presence)
    time.sleep(0.05)
    assert seen(engine, presence) == last


def test_one_may_leave_while_the_database_is_away(engine: Engine, sign_in: SignIn) -> None:
    before = heartbeats()
    presence = sign_in()
    with away(engine):
        presence.leave()
    assert heartbeats() == before
    assert numbers(engine) == [presence.number]
