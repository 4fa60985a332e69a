"""The shell scripts in deploy/, with stand-ins for what they call."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
ADDRESS = "ray-head:6379"


@pytest.fixture
def stand_ins(tmp_path: Path) -> Path:
    """A directory with a `ray` and a `search` that write down how they were called."""
    for name, end in (("ray", "[ -z \"${RAY_FAILS:-}\" ] || { echo 'no such head'; exit 1; }"), ("search", "exit 3")):
        script = tmp_path / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/called\n{end}\n')
        script.chmod(0o755)
    return tmp_path


def join_and_search(
    stand_ins: Path, *arguments: str, **environment: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    called = stand_ins / "called"
    called.unlink(missing_ok=True)
    found = subprocess.run(
        [DEPLOY / "join-and-search", *arguments],
        env={"PATH": f"{stand_ins}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return found, called.read_text().splitlines()


@pytest.mark.parametrize(
    "arguments",
    [["run", "--budget", "10000", "--target", "0.994"], ["resume", "mine"], ["--config", "my.toml", "run"]],
)
def test_what_trains_joins_the_cluster_first(stand_ins: Path, arguments: list[str]) -> None:
    found, called = join_and_search(stand_ins, *arguments, RAY_ADDRESS=ADDRESS)
    assert called == [f"ray start --address={ADDRESS} --num-cpus=0 --num-gpus=0", f"search {' '.join(arguments)}"]
    assert (found.returncode, found.stdout, found.stderr) == (3, "", "")


@pytest.mark.parametrize(
    "arguments",
    [[], ["status", "run"], ["run", "--help"], ["--help"], ["--config"], ["submit", "--", "run"], ["--config", "run"]],
)
def test_what_does_not_train_does_not_join(stand_ins: Path, arguments: list[str]) -> None:
    found, called = join_and_search(stand_ins, *arguments, RAY_ADDRESS=ADDRESS)
    assert called == [f"search {' '.join(arguments)}"]
    assert found.returncode == 3


def test_without_a_cluster_there_is_nothing_to_join(stand_ins: Path) -> None:
    assert join_and_search(stand_ins, "run")[1] == ["search run"]


def test_a_cluster_that_cannot_be_joined_ends_it(stand_ins: Path) -> None:
    found, called = join_and_search(stand_ins, "run", RAY_ADDRESS=ADDRESS, RAY_FAILS="1")
    assert len(called) == 1
    assert found.returncode == 5
    assert found.stderr == f"no such head\nerror: the Ray cluster at {ADDRESS} cannot be joined\n"


def test_arguments_stay_whole_and_signals_reach_the_search(stand_ins: Path) -> None:
    (stand_ins / "search").write_text("#!/bin/sh\ntrap 'exit 42' TERM\nprintf '<%s>' \"$@\"\necho\nread line\n")
    process = subprocess.Popen(
        [DEPLOY / "join-and-search", "run", "a b", "$HOME;", "*"],
        env={"PATH": f"{stand_ins}:{os.environ['PATH']}", "RAY_ADDRESS": ADDRESS},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "<run><a b><$HOME;><*>\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 42


def test_secrets_are_made_once_and_for_us_alone(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    script = shutil.copy(DEPLOY / "make-secrets", tmp_path / "deploy")
    first = subprocess.run([script], capture_output=True, text=True, check=True, timeout=60)
    made = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    assert made.keys() == {"postgres_password", "reader_password", "ray_token", "dashboard_token"}
    assert len(first.stdout.splitlines()) == len(made)
    assert len(set(made.values())) == len(made)
    assert all(len(value) == 64 and int(value, 16) for value in made.values())
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o444 for file in (tmp_path / "secrets").iterdir())
    (tmp_path / "secrets" / "ray_token").unlink()
    again = subprocess.run([script], capture_output=True, text=True, check=True, timeout=60)
    assert again.stdout == "made secrets/ray_token\n"
    assert (tmp_path / "secrets" / "reader_password").read_text() == made["reader_password"]
