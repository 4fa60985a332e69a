"""Runs that are ended in the middle, by every means, and go on: real processes, real Ray, a real database."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from search import drivers, storage
from search.errors import NotFoundError
from search.ledger import Ledger
from space.candidate import Candidate, State

pytestmark = pytest.mark.xdist_group("ray")  # one Ray at a time: several on two cores starve each other

SEARCH = str(Path(sys.executable).with_name("search"))
STUDY = "study"
RUN = [*"run --dataset digits --budget 5000 --target 1.0 --workers 2 --study-name".split(), STUDY]


def candidates(home: Path) -> list[Candidate]:
    store = storage.open_existing(storage.parse(f"sqlite:///{home / 'studies.db'}"))
    if store is None:
        return []
    try:
        return Ledger.open(store, STUDY).candidates()
    except NotFoundError:
        return []  # the study is not there yet
    finally:
        store.close()


def drivers_at_work(home: Path) -> list[int]:
    store = storage.open_existing(storage.parse(f"sqlite:///{home / 'studies.db'}"))
    if store is None:
        return []
    try:
        return [driver.number for driver in drivers.living(store.engine, STUDY)]
    finally:
        store.close()


def wait_until(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)


def workers(driver: int) -> list[int]:
    """Processes below `driver` that train."""
    parents, titles = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "stat").read_text()
            titles[int(entry.name)] = (entry / "cmdline").read_text()
        except OSError:
            continue
        parents[int(entry.name)] = int(status.rpartition(")")[2].split()[1])

    def below(process: int) -> bool:
        return process == driver or (process in parents and below(parents[process]))

    at_work = ("ray::TrainJob", "ray::ResourceTrainable")  # Tune's wrapper, while a step is running
    return [process for process, title in titles.items() if title.startswith(at_work) and below(process)]


Begin = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def begin(spawn: Begin, petitnet_home: Path) -> Begin:
    """Begins `search` with these arguments and the test's own home."""
    return lambda *arguments: spawn([SEARCH, *arguments])


def test_kill_9_loses_only_what_was_in_training(begin: Begin, petitnet_home: Path) -> None:
    first = begin(*RUN)
    wait_until(lambda: sum(candidate.state == State.COMPLETE for candidate in candidates(petitnet_home)) >= 1)
    first.kill()
    first.wait()
    before = candidates(petitnet_home)
    kept = {candidate.number: candidate.rungs for candidate in before if candidate.state != State.RUNNING}
    in_training = sum(candidate.state == State.RUNNING for candidate in before)
    trained = sum(candidate.state in (State.COMPLETE, State.PRUNED) for candidate in before)

    second = begin(*RUN, "--trials", str(trained + in_training), "--json")
    output, complaints = second.communicate(timeout=120)
    assert second.returncode == 3, complaints
    after = candidates(petitnet_home)
    assert {candidate.number: candidate.rungs for candidate in after if candidate.number in kept} == kept
    assert not any(candidate.state == State.RUNNING for candidate in after)
    assert sum(candidate.origin.startswith("again") for candidate in after) == in_training
    assert json.loads(output)["target_met"] is False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_in_order_and_says_how_to_go_on(
    begin: Begin, petitnet_home: Path, number: signal.Signals
) -> None:
    process = begin(*RUN)
    wait_until(lambda: any(candidate.rungs for candidate in candidates(petitnet_home)))
    training = workers(process.pid)
    assert training
    process.send_signal(number)
    output, complaints = process.communicate(timeout=60)
    assert process.returncode == 130, complaints
    assert complaints.splitlines()[-1] == f"interrupted; to go on: search resume {STUDY}"
    assert "Best candidates" in output
    assert not any(candidate.state == State.RUNNING for candidate in candidates(petitnet_home))
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in training))


def test_workers_that_die_cost_nothing_but_time(begin: Begin, petitnet_home: Path) -> None:
    rng = random.Random(2)
    process = begin(*RUN, "--trials", "8", "--json")
    wait_until(lambda: any(candidate.rungs for candidate in candidates(petitnet_home)))
    for _ in range(4):
        at_work = workers(process.pid)
        if at_work:
            os.kill(rng.choice(at_work), signal.SIGKILL)
        time.sleep(rng.uniform(1, 4))
    _, complaints = process.communicate(timeout=150)
    assert process.returncode == 3, complaints
    trained = [candidate for candidate in candidates(petitnet_home) if candidate.state != State.OVER_BUDGET]
    assert len(trained) == 8
    for candidate in trained:
        lost = candidate.state == State.FAILED and "its workers died 3 times" in candidate.reason
        assert lost or candidate.state in (State.COMPLETE, State.PRUNED), candidate.reason


def test_a_training_that_takes_too_long_fails_and_the_run_goes_on(begin: Begin, petitnet_home: Path) -> None:
    process = begin(*RUN, "--trials", "3", "--trial-timeout", "0.001", "--json")
    _, complaints = process.communicate(timeout=120)
    assert process.returncode == 3, complaints
    trained = [candidate for candidate in candidates(petitnet_home) if candidate.state != State.OVER_BUDGET]
    assert [candidate.state for candidate in trained] == [State.FAILED] * 3
    assert {candidate.reason for candidate in trained} == {"timeout: not done within 0.001 s"}


def test_two_drivers_share_a_study_and_stop_ends_both(begin: Begin, petitnet_home: Path) -> None:
    first, second = begin(*RUN), begin(*RUN)
    wait_until(lambda: len(drivers_at_work(petitnet_home)) == 2)
    wait_until(lambda: sum(bool(candidate.rungs) for candidate in candidates(petitnet_home)) >= 4)
    stop = begin("stop", STUDY)
    _, told = stop.communicate(timeout=60)
    assert stop.returncode == 0, told
    assert "asked 2 to stop" in told
    for process in (first, second):
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 130, complaints
        assert complaints.splitlines()[-1] == f"stopped by search stop {STUDY}; to go on: search resume {STUDY}"
    found = candidates(petitnet_home)
    assert not any(candidate.state == State.RUNNING for candidate in found)
    trained = [candidate.line for candidate in found if candidate.rungs]
    published = [candidate.origin for candidate in found if candidate.origin.startswith("published")]
    assert len(published) == len(set(published))
    assert len(trained) >= 4


def test_a_run_stops_at_its_time_limit_and_leaves_no_files_behind(
    begin: Begin, petitnet_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))  # short, as socket paths must be
    monkeypatch.setenv("TMPDIR", str(scratch))
    process = begin(*RUN, "--timeout", "8", "--json")
    _, complaints = process.communicate(timeout=90)
    assert process.returncode == 3, complaints
    assert not any(candidate.state == State.RUNNING for candidate in candidates(petitnet_home))
    assert list(scratch.glob("petitnet-*")) == []
    shutil.rmtree(scratch)


def test_a_run_in_which_everything_fails_is_an_error(begin: Begin, petitnet_home: Path) -> None:
    process = begin(*RUN, "--trial-timeout", "0.001")
    _, complaints = process.communicate(timeout=120)
    assert process.returncode == 1
    last = complaints.strip().splitlines()[-1]
    assert last.startswith("error: 1")  # ten, or eleven where two ended at once
    assert "trainings in a row failed, the last one with: timeout: not done within 0.001 s" in last
    assert not any(candidate.state == State.RUNNING for candidate in candidates(petitnet_home))
