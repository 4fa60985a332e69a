"""A real Ray cluster on this machine for tests: `ray start` processes, one a node, that can be killed and added."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.postgres import free_port

RAY = str(Path(sys.executable).with_name("ray"))
Node = subprocess.Popen[bytes]


@dataclass
class Cluster:
    """A head without cores of its own, and the nodes added to it."""

    directory: Path
    port: int
    dashboard_port: int
    nodes: list[Node] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def dashboard(self) -> str:
        return f"http://127.0.0.1:{self.dashboard_port}"

    def begin_head(self, *more: str) -> None:
        ports = [f"--port={self.port}", f"--dashboard-port={self.dashboard_port}", "--dashboard-host=127.0.0.1"]
        self._begin("--head", *ports, f"--temp-dir={self.directory}", "--num-cpus=0", *more)
        self._wait_for_health()

    def add_node(self, cpus: int = 1) -> Node:
        """A node with this many cores, as seen by Ray; its processes are one group."""
        return self._begin(f"--address={self.address}", f"--num-cpus={cpus}")

    def _begin(self, *arguments: str) -> Node:
        ports = [f"--dashboard-agent-listen-port={free_port()}", "--object-store-memory=200000000"]
        command = [RAY, "start", "--block", "--disable-usage-stats", "--node-ip-address=127.0.0.1", *ports, *arguments]
        environment = os.environ | {"RAY_AUTH_MODE": "disabled", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"}
        node = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment,
            cwd=self.directory,
        )
        self.nodes.append(node)
        return node

    def _wait_for_health(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.dashboard}/api/gcs_healthz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.3)
        raise TimeoutError("the Ray head did not come up")

    def kill(self, node: Node) -> None:
        """End a node as a power cut would: every process of it."""
        os.killpg(node.pid, signal.SIGKILL)
        node.wait()
        self.nodes.remove(node)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster with a head and no other node yet."""
    directory = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    made = Cluster(directory, free_port(), free_port())
    try:
        made.begin_head()
        yield made
    finally:
        for node in reversed(list(made.nodes)):
            made.kill(node)
        shutil.rmtree(directory, ignore_errors=True)
