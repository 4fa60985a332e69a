"""Many driver processes on one study, killed and cut off from their database: real processes, real databases."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from search import drivers, storage
from search.ledger import Ledger
from space.candidate import Candidate, State
from tests.postgres import Server
from tests.search.driver import STUDY, accuracy

DRIVER = str(Path(__file__).with_name("driver.py"))
ROOT = Path(__file__).parents[2]
Begin = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def begin(spawn: Begin) -> Begin:
    """Begins a driver of a study in this database, with so many candidates and seconds a training."""
    return lambda url, trials, seconds: spawn(
        [sys.executable, DRIVER, url, str(trials), str(seconds)], cwd=ROOT, env={"PYTHONPATH": "."}
    )


def candidates(url: str) -> list[Candidate]:
    store = storage.open_existing(storage.parse(url))
    assert store is not None
    try:
        return Ledger.open(store, STUDY).candidates()
    finally:
        store.close()


def check(found: list[Candidate], trials: int) -> None:
    """Every candidate has ended, as many as there may be, and each value is that of its own network."""
    trained = [candidate for candidate in found if candidate.is_trained]
    assert [candidate.number for candidate in found] == list(range(len(found)))
    assert not any(candidate.state in (State.RUNNING, State.WAITING) for candidate in found)
    assert len(trained) == trials
    for candidate in trained:
        assert candidate.state in (State.COMPLETE, State.PRUNED), candidate.reason
        for epochs, value in candidate.rungs.items():
            assert value == accuracy(candidate.line, epochs)
    again = [candidate.origin for candidate in found if candidate.origin.startswith("again")]
    assert len(again) == len(set(again))


def test_eight_drivers_share_160_candidates(begin: Begin, postgres_url: URL) -> None:
    url = postgres_url.render_as_string(hide_password=False)
    processes = [begin(url, 160, 0.01) for _ in range(8)]
    told = []
    for process in processes:
        output, complaints = process.communicate(timeout=240)
        assert (process.returncode, complaints) == (0, "")
        told.append(output.splitlines())
    found = candidates(url)
    check(found, 160)
    lines = [line for of_one in told for line in of_one]
    assert len(lines) == len(set(lines)) == sum(len(candidate.rungs) for candidate in found)
    assert all(told)
    assert len({candidate.line for candidate in found if candidate.rungs}) > 80  # drivers do not propose in step


def test_a_driver_killed_ten_times_and_begun_again_loses_and_repeats_nothing(begin: Begin, any_database: str) -> None:
    rng = random.Random(5)
    before: list[Candidate] = []
    for _ in range(10):
        process = begin(any_database, 60, 0.02)
        assert process.stdout is not None
        process.stdout.readline()  # its first result, or the end
        time.sleep(rng.uniform(0, 0.7))
        process.kill()
        process.wait()
        now = candidates(any_database)
        for candidate in before:
            then = now[candidate.number]
            assert set(then.repeats) >= set(candidate.repeats)
            assert replace(then, repeats=candidate.repeats) == candidate
        before = [candidate for candidate in now if candidate.state != State.RUNNING]
    last = begin(any_database, 60, 0.0)
    _, complaints = last.communicate(timeout=120)
    assert (last.returncode, complaints) == (0, "")
    found = candidates(any_database)
    check(found, 60)
    assert any(candidate.state == State.FAILED and candidate.interrupted for candidate in found)


def test_an_outage_of_the_database_loses_nothing(begin: Begin, postgres: Server, postgres_url: URL) -> None:
    url = postgres_url.render_as_string(hide_password=False)
    processes = [begin(url, 2000, 0.05) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for mode in ("fast", "immediate", "fast"):
        time.sleep(2)
        postgres.stop(mode)
        time.sleep(10)
        postgres.start()
    time.sleep(6)
    store = storage.open_existing(postgres_url)
    assert store is not None
    drivers.ask_to_stop(store.engine, STUDY)
    store.close()
    lines: list[str] = []
    for process in processes:
        output, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
        assert complaints.splitlines().count("back") >= 3
        lines += output.splitlines()
    found = candidates(url)
    told = {(candidate.number, epochs) for candidate in found for epochs in candidate.rungs}
    assert {tuple(map(int, line.split())) for line in lines} <= told
    assert not any(candidate.state == State.RUNNING for candidate in found)
    for candidate in found:
        assert all(value == accuracy(candidate.line, epochs) for epochs, value in candidate.rungs.items())


OPEN = """
import sys
from search import storage
print("ready", flush=True)
for line in sys.stdin:
    storage.open_or_create(storage.parse(line.strip())).close()
    print("open", flush=True)
"""


def fresh_databases(kind: str, count: int, directory: Path, request: pytest.FixtureRequest) -> list[str]:
    if kind == "sqlite":
        return [f"sqlite:///{directory / f'{place}.db'}" for place in range(count)]
    server: Server = request.getfixturevalue("postgres")
    engine = create_engine(server.url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for place in range(count):
            connection.execute(text(f"DROP DATABASE IF EXISTS opened{place}"))
            connection.execute(text(f"CREATE DATABASE opened{place}"))
    engine.dispose()
    return [server.url(f"opened{place}").render_as_string(hide_password=False) for place in range(count)]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_eight_drivers_open_a_fresh_database_at_once_ten_times(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", OPEN]
    openers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(8)]

    def answers() -> list[str]:
        return [opener.stdout.readline() for opener in openers if opener.stdout is not None]

    assert answers() == ["ready\n"] * 8
    for url in fresh_databases(kind, 10, tmp_path, request):
        for opener in openers:
            assert opener.stdin is not None
            opener.stdin.write(f"{url}\n")
            opener.stdin.flush()
        assert answers() == ["open\n"] * 8
    assert [opener.communicate(timeout=30)[1] for opener in openers] == [""] * 8
