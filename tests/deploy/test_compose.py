"""docker-compose.yml: what it promises, and its commands run as they stand there, without containers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import create_engine, text

from tests.postgres import Server, free_port

pytestmark = pytest.mark.xdist_group("ray")  # one Ray at a time: several on two cores starve each other

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
FILE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["services"]
OURS = {name: service for name, service in SERVICES.items() if name != "postgres"}
ONE_SHOT = {"database", "search"}
NODES = ["ray-head", "worker", "gpu-worker"]


def test_the_file_follows_the_compose_specification() -> None:
    checker = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(FILE)]
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    found = subprocess.run(checker, capture_output=True, text=True, check=False, env=os.environ | nowhere, timeout=60)
    assert found.returncode == 0, found.stdout


def test_only_the_dashboard_is_published_and_only_to_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(published) == ["dashboard"]
    assert all(port.startswith("127.0.0.1:") for port in published["dashboard"])
    assert not any("network_mode" in service for service in SERVICES.values())


def test_secrets_are_files_that_each_service_needs() -> None:
    whole = yaml.safe_load(FILE.read_text())
    assert whole["secrets"] == {name: {"file": f"./secrets/{name}"} for name in whole["secrets"]}
    for service in SERVICES.values():
        told = f"{service.get('environment', {})} {service.get('command', [])}"
        assert sorted(re.findall(r"/run/secrets/(\w+)", told)) == sorted(service.get("secrets", []))


def test_nothing_secret_is_in_an_environment() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search(r"://[^/@]*:[^/@]*@", value)
            if re.search("PASSWORD|TOKEN|SECRET", name):
                assert name.endswith(("_FILE", "_PATH"))
                assert value.startswith("/run/secrets/")


def test_workers_know_nothing_of_the_database() -> None:
    for name in ("worker", "gpu-worker"):
        assert SERVICES[name]["secrets"] == ["ray_token"]
        assert "OPTUNA_STORAGE" not in SERVICES[name]["environment"]


def test_the_dashboard_may_only_read_and_asks_for_a_token() -> None:
    service = SERVICES["dashboard"]
    assert service["environment"]["OPTUNA_STORAGE"] == "postgresql://petitnet_reader@postgres/petitnet"
    assert "PETITNET_DASHBOARD_TOKEN_FILE" in service["environment"]
    assert "postgres_password" not in service["secrets"]
    assert "--reader=petitnet_reader" in SERVICES["database"]["command"]


def test_all_of_ours_are_one_image_without_privileges() -> None:
    assert {service["image"] for service in OURS.values()} == {"petitnet"}
    for service in OURS.values():
        assert service["build"] == "."
        assert service["init"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert SERVICES["postgres"]["image"] == "postgres:18"


def test_what_lasts_is_in_named_volumes() -> None:
    assert list(yaml.safe_load(FILE.read_text())["volumes"]) == ["studies", "home"]
    assert SERVICES["postgres"]["volumes"] == ["studies:/var/lib/postgresql"]
    home = re.search(r"PETITNET_HOME=(\S+)", (ROOT / "Dockerfile").read_text())
    assert home
    mounts = {name: service["volumes"] for name, service in OURS.items() if "volumes" in service}
    assert mounts == {"ray-head": [f"home:{home[1]}"], "search": [f"home:{home[1]}"]}


def test_what_runs_on_is_watched_and_restarted() -> None:
    for name, service in SERVICES.items():
        assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")
        assert ("healthcheck" in service) == (name not in ONE_SHOT)


def test_the_order_of_starting() -> None:
    waits = {
        name: {other: wait["condition"] for other, wait in service["depends_on"].items()}
        for name, service in SERVICES.items()
        if "depends_on" in service
    }
    done, healthy = "service_completed_successfully", "service_healthy"
    assert waits == {
        "database": {"postgres": healthy},
        "worker": {"ray-head": healthy},
        "gpu-worker": {"ray-head": healthy},
        "dashboard": {"database": done},
        "search": {"database": done, "ray-head": healthy},  # not `worker`: `compose run` would scale it back to one
    }


def test_profiles() -> None:
    found = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert found == {"gpu-worker": ["gpu"], "search": ["cli"]}
    (device,) = SERVICES["gpu-worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert "deploy" not in SERVICES["worker"]


def test_ray_gets_its_shared_memory_and_the_time_to_drain() -> None:
    for name in NODES:
        assert SERVICES[name]["shm_size"] == SERVICES["search"]["shm_size"] == "2gb"
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > 30
        assert SERVICES[name]["environment"]["RAY_AUTH_MODE"] == "token"


def test_the_image_holds_no_secret_and_names_no_package_index() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in allowed if not line.startswith("#")) == "*"
    assert not any("secrets" in line for line in allowed if line.startswith("!"))
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert not re.search(r"://|index", re.sub("#.*", "", dockerfile))
    copied = [line.split()[1:-1] for line in dockerfile.splitlines() if line.startswith("COPY")]
    for source in (word for words in copied for word in words if not word.startswith("--")):
        assert f"!{source}" in allowed
        assert (ROOT / source).exists()
    assert "--constraint constraints.txt '.[postgres,cluster,dashboard,export]'" in dockerfile
    assert re.search(r"^USER [1-9]", dockerfile, re.MULTILINE)


@dataclass
class Site:
    """What the services meet under other names on this machine: a database, ports and secrets of the tests' own."""

    directory: Path
    names: dict[str, str]
    """What stands in the file, and what it is here."""
    group: ExitStack = field(default_factory=ExitStack)
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def port(self, name: str) -> str:
        return self.names[name].rpartition(":")[2]

    def here(self, value: str) -> str:
        """A word of the file as it is to be said on this machine."""
        value = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value)
        for there, here in self.names.items():
            value = value.replace(there, here)
        return value

    def environment(self, service: str) -> dict[str, str]:
        own = re.compile("RAY_|PETITNET_|OPTUNA_")
        outside = {name: value for name, value in os.environ.items() if not own.match(name)}
        path = f"{ROOT / 'deploy'}:{BIN}:{os.environ['PATH']}"
        image = {"PETITNET_HOME": str(self.directory / "home"), "RAY_USAGE_STATS_ENABLED": "0", "PATH": path}
        asked = {name: self.here(value) for name, value in SERVICES[service].get("environment", {}).items()}
        return outside | image | asked

    def command(self, service: str, *more: str) -> list[str]:
        words = SERVICES[service].get("entrypoint", []) + SERVICES[service].get("command", [])
        return [self.here(word) for word in words] + list(more)

    def run(self, service: str, *more: str, within: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """A service that ends, all that it leaves behind included; `within` is what stands before its command."""
        process = self._begin([*within, *self.command(service, *more)], service)
        try:
            out, err = process.communicate(timeout=200)
        finally:
            _kill(process)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def begin(self, service: str, *more: str) -> subprocess.Popen[str]:
        """A service that runs on, until it is healthy by its own check; it ends with the site."""
        process = self._begin(self.command(service, *more), service)
        self.processes[service] = process
        self.group.callback(_kill, process)
        check = [self.here(word) for word in SERVICES[service]["healthcheck"]["test"][1:]]
        deadline = time.monotonic() + 60
        while subprocess.run(check, env=self.environment(service), capture_output=True, check=False).returncode:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.3)
        return process

    def _begin(self, words: list[str], service: str) -> subprocess.Popen[str]:
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        output = pipe if service in ONE_SHOT else nothing
        environment = self.environment(service)
        return subprocess.Popen(
            words, env=environment, stdout=output, stderr=output, text=True, start_new_session=True, cwd=self.directory
        )


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _remove(directory: Path) -> None:
    """Ray's workers outlive a killed node by a moment, and write their logs to the end."""
    deadline = time.monotonic() + 10
    while directory.exists() and time.monotonic() < deadline:
        shutil.rmtree(directory, ignore_errors=True)
        time.sleep(0.5)


@pytest.fixture(scope="module")
def site(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    (directory / "secrets").mkdir()
    for name in ("reader_password", "ray_token", "dashboard_token"):
        (directory / "secrets" / name).write_text(f"a {name} of the tests".replace(" ", "-"))
    (directory / "secrets" / "postgres_password").write_text(postgres.password)
    head, agent, ray, port = (free_port() for _ in range(4))
    names = {
        "/run/secrets": str(directory / "secrets"),
        "@postgres/": f"@127.0.0.1:{postgres.port}/",
        "ray-head:6379": f"127.0.0.1:{head}",
        "ray-head:8265": f"127.0.0.1:{ray}",
        "127.0.0.1:8265": f"127.0.0.1:{ray}",
        "127.0.0.1:52365": f"127.0.0.1:{agent}",
        "127.0.0.1:8080": f"127.0.0.1:{port}",
        "--port=6379": f"--port={head}",
        "--port=8080": f"--port={port}",
        "--dashboard-host=0.0.0.0": "--dashboard-host=127.0.0.1",
    }
    engine = create_engine(postgres.url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE petitnet"))
        made = Site(directory, names)
        with made.group:
            yield made
        connection.execute(text("DROP DATABASE petitnet WITH (FORCE)"))
        connection.execute(text("DROP ROLE IF EXISTS petitnet_reader"))
    engine.dispose()


@pytest.fixture(scope="module")
def database(site: Site) -> Site:
    made = site.run("database")
    assert made.returncode == 0, made.stderr
    return site


@pytest.fixture(scope="module")
def cluster(database: Site) -> Site:
    """Ray as the file starts it, a head and a worker; on one machine they need ports and a directory of their own."""
    memory = "--object-store-memory=200000000"
    scratch = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    database.group.callback(_remove, Path(scratch))
    own = f"--temp-dir={scratch}", f"--dashboard-port={database.port('127.0.0.1:8265')}"
    database.begin("ray-head", memory, *own, f"--dashboard-agent-listen-port={free_port()}")
    agent = f"--dashboard-agent-listen-port={database.port('127.0.0.1:52365')}"
    database.begin("worker", memory, agent, "--num-cpus=1")
    return database


def test_postgres_is_healthy_by_its_check(postgres: Server) -> None:
    check = SERVICES["postgres"]["healthcheck"]["test"]
    assert check[0] == "CMD"
    subprocess.run(
        [postgres.programs / check[1], *check[2:], f"--port={postgres.port}"], check=True, stdout=subprocess.DEVNULL
    )


def test_the_database_can_be_made_again(database: Site) -> None:
    again = database.run("database")
    assert again.returncode == 0
    assert "petitnet_reader" in again.stdout
    assert "Traceback" not in again.stderr


def test_the_dashboard_shows_to_those_with_the_token(database: Site) -> None:
    process = database.begin("dashboard")
    url = f"http://{database.here('127.0.0.1:8080')}/api/studies"
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(url, timeout=60)
    refused.value.close()
    token = (database.directory / "secrets" / "dashboard_token").read_text()
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.read() == b'{"study_summaries": []}'
    process.terminate()
    assert process.wait(60) == 0


def test_help_needs_no_cluster(site: Site) -> None:
    found = site.run("search", "run", "--help")
    assert found.returncode == 0
    assert "--budget" in found.stdout


def test_a_search_joins_the_cluster_and_trains_there(cluster: Site) -> None:
    words = "run --dataset digits --budget 3000 --target 0.999 --trials 1".split()
    found = cluster.run("search", *words, within=_a_container())
    assert found.returncode == 3, found.stdout + found.stderr
    assert "1 trained to the end" in found.stdout


def test_a_search_can_be_submitted(cluster: Site) -> None:
    found = cluster.run("search", "submit", "resume", "nothing")
    assert found.returncode == 4, found.stdout + found.stderr
    assert "error: no study is called nothing" in found.stdout


def test_nodes_end_when_told_to(cluster: Site) -> None:
    worker = cluster.processes["worker"]
    worker.terminate()
    worker.wait(60)


def _a_container() -> tuple[str, ...]:
    """Words before a command that hide all other processes from it, where this machine allows that."""
    words = "unshare", "--pid", "--fork", "--mount-proc", "--kill-child"
    try:
        return words if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0 else ()
    except FileNotFoundError:
        return ()
