"""Searches on a real Ray cluster of several nodes on this machine, which come and go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from search import storage
from search.errors import NotFoundError
from search.ledger import Ledger
from space.candidate import Candidate, State
from tests.postgres import free_port
from tests.ray_cluster import Cluster, cluster

one_at_a_time = pytest.mark.xdist_group("ray")  # one Ray at a time: several on two cores starve each other

SEARCH = str(Path(sys.executable).with_name("search"))
RUN = "run --dataset digits --budget 5000 --target 1.0 --study-name study".split()


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    with cluster() as made:
        made.add_node()
        made.add_node()
        yield made


def candidates(home: Path) -> list[Candidate]:
    store = storage.open_existing(storage.parse(f"sqlite:///{home / 'studies.db'}"))
    if store is None:
        return []
    try:
        return Ledger.open(store, "study").candidates()
    except NotFoundError:
        return []
    finally:
        store.close()


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 180  # tests of many drivers run beside it
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        if time.monotonic() > deadline:
            process.terminate()
            raise AssertionError("waited in vain: " + process.communicate(timeout=60)[1])
        time.sleep(0.3)


@one_at_a_time
def test_a_node_that_goes_loses_nothing_and_one_that_comes_is_used(
    nodes: Cluster, petitnet_home: Path, tmp_path: Path
) -> None:
    """The user's own directory, with names like ours in it, is not what workers import."""
    user = tmp_path / "user"
    user.mkdir()
    for name in ("workers", "space"):
        (user / f"{name}.py").write_text("raise RuntimeError('this is not ours')\n")
    command = [SEARCH, *RUN, "--trials", "16", "--address", nodes.address, "--json"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=dict(os.environ), cwd=user)
    try:
        wait_until(lambda: sum(bool(candidate.rungs) for candidate in candidates(petitnet_home)) >= 4, process)
        nodes.kill(nodes.nodes[1])
        nodes.kill(nodes.nodes[1])
        nodes.add_node(2)
        output, complaints = process.communicate(timeout=150)
    finally:
        process.kill()
    assert process.returncode == 3, complaints
    found = candidates(petitnet_home)
    trained = [candidate for candidate in found if candidate.state != State.OVER_BUDGET]
    assert len(trained) == 16
    assert all(candidate.state in (State.COMPLETE, State.PRUNED) for candidate in trained)
    assert json.loads(output)["counts"]["running"] == 0


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("127.0.0.1:{free}", 5, "error: Ray cluster 127.0.0.1:{free} cannot be reached: Connection refused"),
        ("nonsense", 2, "error: address must be HOST:PORT or auto, but got nonsense"),
        ("http://127.0.0.1:8265", 2, "from outside a cluster use: search submit"),
    ],
)
def test_a_cluster_that_cannot_be_used_is_one_clear_line(address: str, code: int, said: str) -> None:
    free = str(free_port())
    command = [SEARCH, *RUN, "--address", address.format(free=free)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code
    assert done.stderr.strip().splitlines()[-1].endswith(said.format(free=free))
