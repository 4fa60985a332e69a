"""`search submit`: what is checked here, and what a real Ray cluster makes of the rest."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import click
import pytest

from search import submitting
from search.commands.submit import submit_command
from search.errors import ClusterError, SearchError, SettingsError
from search.submitting import Cluster, check, dashboard_address
from space.fitting import BudgetError
from tests import ray_cluster
from tests.postgres import free_port
from workers.dataset import DataError

one_at_a_time = pytest.mark.xdist_group("ray")  # one Ray at a time: several on two cores starve each other

SEARCH = str(Path(sys.executable).with_name("search"))
RUN = "run", "--budget", "10000", "--target", "0.994"
SMALL = "run", "--dataset", "digits", "--budget", "3000", "--target", "0.999"


def test_what_can_be_submitted() -> None:
    assert check(RUN) is None
    assert (
        check([*RUN, "--study-name", "mine", "--workers", "4", "--storage", "postgresql://me@host/studies"]) == "mine"
    )
    assert check(["resume", "mine", "--timeout", "2h"]) == "mine"


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ([], SettingsError, "sends run or resume with their options, but got nothing"),
        (["status", "mine"], SettingsError, "but got status"),
        (["--config", "x.toml", *RUN], SettingsError, "but got --config"),
        (["run"], click.UsageError, "Missing option '--budget'"),
        ([*RUN, "--nonsense"], click.UsageError, "No such option"),
        ([*RUN, "extra"], click.UsageError, "extra"),
        (["resume"], click.UsageError, "Missing argument"),
        (["run", "--budget", "some", "--target", "0.9"], SettingsError, "budget must be a whole number"),
        (["run", "--budget", "3", "--target", "0.9"], BudgetError, "but got 3"),
        ([*RUN, "--dataset", "nonsense"], DataError, "nonsense"),
        ([*RUN, "--address", "auto"], SettingsError, "but got another --address"),
        ([*RUN, "--storage", "mysql://host/studies"], SearchError, "storage must be"),
        ([*RUN, "--storage", "postgresql://me:hush@host/studies"], SettingsError, "PETITNET_STORAGE_PASSWORD_FILE"),
        (["resume", "x", "--storage=postgresql://host/d?password=hush"], SettingsError, "must have no password in it"),
    ],
)
def test_mistakes_are_told_here(arguments: list[str], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as raised:
        check(arguments)
    told = raised.value.format_message() if isinstance(raised.value, click.ClickException) else str(raised.value)
    assert message in told
    assert "hush" not in told


def test_the_environment_of_this_machine_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")
    monkeypatch.setenv("OPTUNA_STORAGE", "postgresql://me:hush@host/studies")
    assert check(RUN) is None


def test_dashboard_addresses() -> None:
    assert dashboard_address("http://head:8265/") == "http://head:8265"
    assert dashboard_address("https://ray.example") == "https://ray.example"
    assert dashboard_address("head:8265") == "http://head:8265"
    for address in ("ray://head:10001", "http://me:hush@head:8265"):
        with pytest.raises(SettingsError, match="http://HOST:PORT, but got") as raised:
            dashboard_address(address)
        assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, "http://127.0.0.1:8265"),
        ({"RAY_DASHBOARD_ADDRESS": "http://a:1", "RAY_ADDRESS": "http://b:2"}, "http://a:1"),
        ({"RAY_ADDRESS": "http://b:2"}, "http://b:2"),
        ({"RAY_ADDRESS": "b:6379"}, "http://127.0.0.1:8265"),
    ],
)
def test_the_usual_address(environment: dict[str, str], address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_DASHBOARD_ADDRESS", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    asked: list[str] = []

    def connect(address: str) -> Cluster:
        asked.append(address)
        raise ClusterError("enough")

    monkeypatch.setattr(Cluster, "connect", connect)
    with pytest.raises(ClusterError):
        submit_command.main(list(RUN), standalone_mode=False)
    assert asked == [address]


@dataclass
class FakeClient:
    """Ray's client for a job whose log comes in pieces, once for each time it is asked; at None the connection breaks.

    The job has ended when the last of `tails` has been asked for; that one is repeated.
    """

    tails: list[list[str | None]]
    info: SimpleNamespace = field(default_factory=lambda: job_info("SUCCEEDED", 0))
    asked: int = 0

    async def tail_job_logs(self, _job: str) -> AsyncIterator[str]:
        self.asked += 1
        for piece in self.tails[min(self.asked, len(self.tails)) - 1]:
            if piece is None:
                raise RuntimeError("WebSocket connection closed unexpectedly")
            yield piece
            await asyncio.sleep(0)

    def get_job_status(self, _job: str) -> Any:
        return SimpleNamespace(is_terminal=lambda: self.asked >= len(self.tails))

    def get_job_info(self, _job: str) -> SimpleNamespace:
        return self.info


def job_info(status: str, code: int | None, message: str = "") -> SimpleNamespace:
    return SimpleNamespace(status=status, driver_exit_code=code, message=message)


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeClient], tuple[int, str]]:
    monkeypatch.setattr(submitting, "_PAUSE", 0.0)

    def follow(client: FakeClient) -> tuple[int, str]:
        written: list[str] = []
        return Cluster("http://head:8265", client).follow("job", written.append), "".join(written)

    return follow


def test_nothing_is_lost_or_said_twice_when_the_connection_breaks(
    follow: Callable[[FakeClient], tuple[int, str]],
) -> None:
    tails: list[list[str | None]] = [["one\ntw", "o\n", None], [None], ["one\n", "two\nth"], ["one\ntwo\n", "three\n"]]
    assert follow(FakeClient(tails)) == (0, "one\ntwo\nthree\n")


class Deaf(FakeClient):
    """Makes of a cancellation what it makes of any other end of the connection."""

    async def tail_job_logs(self, _job: str) -> AsyncIterator[str]:
        yield "one\n"
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise RuntimeError("WebSocket connection closed unexpectedly") from None


def test_ctrl_c_ends_it_whatever_the_connection_makes_of_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submitting, "_PAUSE", 0.0)

    async def press() -> None:
        following = asyncio.create_task(Cluster("http://head:8265", Deaf([["one\n"]] * 2))._follow("job", print))
        await asyncio.sleep(0.1)
        following.cancel()  # as asyncio does on SIGINT
        await asyncio.wait([following], timeout=5)
        assert following.cancelled()

    asyncio.run(press())


def test_a_cluster_that_stays_away_is_given_up(
    follow: Callable[[FakeClient], tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submitting, "PATIENCE", 0.0)
    with pytest.raises(ClusterError, match="Ray cluster http://head:8265 cannot be used: WebSocket"):
        follow(FakeClient([["one\n", None]]))


@pytest.mark.parametrize(
    ("info", "code"),
    [
        (job_info("SUCCEEDED", 0), 0),
        (job_info("FAILED", 3), 3),
        (job_info("FAILED", -9), 137),
        (job_info("STOPPED", None), 130),
    ],
)
def test_exit_codes(follow: Callable[[FakeClient], tuple[int, str]], info: SimpleNamespace, code: int) -> None:
    assert follow(FakeClient([[]], info))[0] == code


def test_a_job_that_could_not_start_says_why(follow: Callable[[FakeClient], tuple[int, str]]) -> None:
    with pytest.raises(SearchError, match="job job failed: no room"):
        follow(FakeClient([[]], job_info("FAILED", None, "no room\nTraceback ...")))


def test_without_its_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with mock.patch.dict(os.environ), pytest.raises(SearchError, match=r"needs petitnet\[cluster\]"):
        Cluster.connect("http://127.0.0.1:8265")


def submit(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SEARCH, "submit", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env=os.environ | environment,
    )


def test_nobody_there() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    found = submit("--address", address, *RUN)
    assert found.returncode == 5
    assert found.stderr == f"error: Ray cluster {address} cannot be reached: nobody answers there\n"


@dataclass
class Far:
    """A cluster, and the home that what runs on it uses."""

    address: str
    home: Path

    def submit(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return submit("--address", self.address, *arguments, RAY_ADDRESS="127.0.0.1:1")

    def job(self, name: str) -> Any:
        from ray.job_submission import JobSubmissionClient

        return JobSubmissionClient(self.address).get_job_info(name)


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    home = tmp_path_factory.mktemp("far")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PETITNET_HOME", str(home))
        patch.setenv("PATH", f"{Path(SEARCH).parent}{os.pathsep}{os.environ['PATH']}")
        with ray_cluster.cluster() as cluster:
            cluster.add_node(cpus=1)
            yield Far(cluster.dashboard, home)


@one_at_a_time
def test_a_search_runs_far_away_and_its_exit_code_comes_back(far: Far) -> None:
    found = far.submit("--", *SMALL, "--timeout", "1s", "--study-name", "a b; touch $HOME/x")
    assert found.returncode == 3, found.stdout + found.stderr
    assert "No confirmed network yet for 99.90 % with at most 3,000 parameters." in found.stdout
    assert "search resume" in found.stdout
    assert "'a b; touch $HOME/x'" in found.stdout
    assert found.stderr.startswith(f"sent to {far.address} as job ")
    assert (far.home / "studies.db").exists()


@one_at_a_time
def test_its_mistakes_come_back_too(far: Far) -> None:
    found = far.submit("resume", "nothing")
    assert found.returncode == 4
    assert "\nerror: " in found.stdout


@one_at_a_time
def test_without_waiting_there_is_a_job_to_ask_for(far: Far) -> None:
    found = far.submit("--no-wait", "resume", "nothing")
    assert found.returncode == 0
    assert far.job(found.stdout.strip()).entrypoint == "search resume nothing"
    assert f"ray job logs --address {far.address} --follow {found.stdout.strip()}" in found.stderr
    assert "search stop nothing" in found.stderr


@one_at_a_time
def test_ctrl_c_leaves_the_search_alone(far: Far) -> None:
    command = [SEARCH, "submit", "--address", far.address, *SMALL, "--study-name", "long"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert any(line.lstrip().startswith("0 s  long") for line in process.stdout)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    job = said.split(" as job ")[1].split()[0]
    assert process.returncode == 130
    assert "the search goes on without us" in said
    assert "search stop long" in said
    assert "Traceback" not in said
    assert far.job(job).status == "RUNNING"
    subprocess.run([SEARCH, "stop", "long"], env=os.environ | {"PETITNET_HOME": str(far.home)}, check=True, timeout=60)
    assert ended(far, job).driver_exit_code == 130


def ended(far: Far, job: str) -> Any:
    """What Ray says of a job once it has ended."""
    deadline = time.monotonic() + 60
    while not (info := far.job(job)).status.is_terminal():
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return info
