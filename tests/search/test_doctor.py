from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from sqlalchemy.engine import URL

from search import cluster_check, doctor, home, shadowing, storage
from search.cluster_check import check_cluster, node_finding
from search.commands.doctor import doctor_command
from search.errors import ClusterError, SettingsError
from search.findings import Finding
from search.node_probe import PACKAGES, describe, gpus
from tests.postgres import free_port
from workers import sources

one_at_a_time = pytest.mark.xdist_group("ray")  # one Ray at a time: several on two cores starve each other

HERE: dict[str, str | None] = describe()["versions"]


def run_doctor(*arguments: str) -> Result:
    return CliRunner().invoke(doctor_command, arguments, standalone_mode=False)


def machine(url: str | None = None) -> dict[str, Finding]:
    found = list(doctor.check_machine(storage.parse(url or home.default_storage()), HERE))
    assert len({finding.name for finding in found}) == len(found)
    return {finding.name: finding for finding in found}


def wrong(found: dict[str, Finding]) -> list[str]:
    assert all(bool(finding.remedy) <= (not finding.ok) for finding in found.values())
    return [name for name, finding in found.items() if not finding.ok]


def test_all_is_well_here_and_nothing_is_created(petitnet_home: Path) -> None:
    done = run_doctor("--json")
    rows = json.loads(done.output)
    assert [row for row in rows if not row["ok"]] == []
    assert done.return_value == 0
    names = [row["name"] for row in rows]
    assert names[: len(PACKAGES) + 1] == ["Python", *PACKAGES]
    assert {"GPUs", "home", "temporary", "database", "data sets", "package workers"} <= set(names)
    assert not petitnet_home.exists()


def test_without_a_cluster_ray_is_not_imported(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom search.commands.doctor import doctor_command\n"
        "code = doctor_command.main([], standalone_mode=False)\n"
        "assert 'ray' not in sys.modules\nsys.exit(code)\n"
    )
    command = [sys.executable, "-P", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("ok ") for line in done.stdout.splitlines())
    assert done.stderr == ""


def test_versions_are_held_against_what_petitnet_needs() -> None:
    versions: dict[str, str | None] = {**HERE, "Python": "3.10.2", "torch": "1.13.1", "numpy": None}
    found = {finding.name: finding for finding in doctor._versions(versions)}
    assert wrong(found) == ["Python", "torch", "numpy"]
    assert found["Python"].remedy == "petitnet needs Python>=3.11"
    assert found["torch"].remedy == "petitnet needs torch>=2.6"
    assert found["numpy"].remedy == "pip install 'numpy>=1.26'"


def test_a_torchvision_that_does_not_fit_torch_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torchvision.py").write_text('raise RuntimeError("operator torchvision::nms\\ndoes not exist")')
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    found = doctor._torchvision()
    assert not found.ok
    assert found.text == "RuntimeError: operator torchvision::nms does not exist"
    assert "install torch and torchvision together" in found.remedy


def driver(directory: Path, script: str) -> None:
    program = directory / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


GPU = "NVIDIA H100 80GB HBM3 (81559 MiB, driver 580.65.06)"


@pytest.fixture
def a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that knows of one GPU, as far as its program tells."""
    driver(tmp_path, "echo 'NVIDIA H100 80GB HBM3, 81559 MiB, 580.65.06'")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def torch_uses(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H100 80GB HBM3")


@pytest.mark.usefixtures("a_gpu")
def test_gpus_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    torch_uses(monkeypatch, 1)
    assert doctor._gpus(gpus()) == Finding("GPUs", True, GPU)


@pytest.mark.usefixtures("a_gpu")
def test_a_gpu_that_torch_cannot_use_is_wrong_unless_it_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    torch_uses(monkeypatch, 0)
    found = doctor._gpus(gpus())
    assert not found.ok
    assert found.text == f"{GPU}, but torch can use none"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert doctor._gpus(gpus()) == Finding("GPUs", True, "hidden by CUDA_VISIBLE_DEVICES=-1")


@pytest.mark.parametrize("script", ["echo 'No devices were found' >&2; exit 6", "echo No devices were found", "exit 0"])
def test_a_driver_without_a_gpu_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    driver(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    torch_uses(monkeypatch, 0)
    assert gpus() == []
    assert doctor._gpus(gpus()).ok


def test_a_home_that_cannot_be_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PETITNET_HOME", str(tmp_path / "file" / "home"))
    found = machine()
    assert wrong(found) == ["home", "database"]
    assert "must be a directory" in found["home"].text
    assert found["home"].remedy == "set PETITNET_HOME"


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "FREE_AT_LEAST", 2**60)
    assert wrong(machine()) == ["home", "temporary"]


def test_a_database_that_is_away_is_one_finding_among_the_others() -> None:
    done = run_doctor("--json", "--storage", f"postgresql://me:secret@127.0.0.1:{free_port()}/studies")
    (found,) = [row for row in json.loads(done.output) if not row["ok"]]
    assert done.return_value == 1
    assert found["name"] == "database"
    assert "refused" in found["text"]
    assert "secret" not in done.output


def test_a_database_is_checked(postgres_url: URL) -> None:
    url = postgres_url.render_as_string(hide_password=False)
    assert wrong(machine(url)) == ["database schema"]
    storage.open_or_create(postgres_url).close()
    found = machine(url)
    assert wrong(found) == []
    assert found["database studies"].text == "0"


def test_a_module_of_the_user_s_is_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "workers.py").write_text("mine = True\n")
    monkeypatch.chdir(tmp_path)
    found = {finding.name: finding for finding in shadowing.check_names()}
    assert wrong(found) == ["package workers"]
    assert f"{tmp_path / 'workers.py'} is in the way of " in found["package workers"].text


def test_a_package_on_the_path_is_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    found = {finding.name: finding for finding in shadowing.check_names()}
    assert wrong(found) == ["package space"]
    assert str(tmp_path / "space") in found["package space"].text


def test_another_distribution_with_a_package_of_the_same_name_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    information = tmp_path / "outer-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: outer\nVersion: 1.0\n")
    (information / "top_level.txt").write_text("dashboards\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    found = {finding.name: finding for finding in shadowing.check_names()}
    assert wrong(found) == ["package dashboards"]
    assert "outer has a dashboards as well" in found["package dashboards"].text


def test_data_sets_are_read(petitnet_home: Path) -> None:
    sources.load("digits", home.data_directory())
    assert machine()["data set digits"].text == f"1,498 images in {petitnet_home / 'data' / 'digits'}"
    (petitnet_home / "data" / "digits" / "train-images.npy").write_bytes(b"damaged")
    found = machine()
    assert wrong(found) == ["data set digits"]
    assert "its SHA-256 must be" in found["data set digits"].text


def told(**changes: str | None) -> dict[str, object]:
    says = {"versions": HERE | changes, "gpus": [GPU], "free": 5 * 2**30}
    return {"node": "one (10.0.0.1)", "gpus_of_ray": 1, "says": says}


def test_a_node_like_this_machine_is_well() -> None:
    found = node_finding(told(), HERE)
    assert found.ok
    assert found.name == "node one (10.0.0.1)"
    assert found.text == (
        f"Python {HERE['Python']}, ray {HERE['ray']}, torch {HERE['torch']}, numpy {HERE['numpy']}, "
        f"petitnet {HERE['petitnet']}; {GPU}; 5.0 GiB free"
    )


def test_a_node_without_petitnet_is_well_for_a_run_brings_it() -> None:
    assert node_finding(told(petitnet=None), HERE).ok


def test_other_versions_a_full_disk_and_uncounted_gpus_are_told_at_once() -> None:
    answer = told(torch="1.0", ray=None, petitnet="0.0.1")
    answer["says"]["free"] = 2**20  # type: ignore[index]
    found = node_finding(answer | {"gpus_of_ray": 0}, HERE)
    assert not found.ok
    assert "(Ray counts 0)" in found.text
    assert found.remedy == (
        f"install ray {HERE['ray']} there; torch must be {HERE['torch']} as here, or else 1.0 here; "
        f"petitnet must be {HERE['petitnet']} as here, or else 0.0.1 here; "
        "make room in its temporary directory: 1.0 GiB"
    )


def test_a_node_that_does_not_answer_is_wrong() -> None:
    found = node_finding({"node": "one", "gpus_of_ray": 0, "error": "no answer within 30 s"}, HERE)
    assert (found.ok, found.text) == (False, "no answer within 30 s")


BLOCK = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("search", "space", "workers", "dashboards"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
"""
"""A sitecustomize with which petitnet cannot be imported."""


@dataclass
class Cluster:
    """A head and another node on this machine, both without petitnet."""

    address: str
    environment: dict[str, str]


def start_ray(log: Path, environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    """`ray start`, once it says that it has."""
    ports = [f"--{kind}-port={free_port()}" for kind in ("dashboard-agent-listen", "dashboard-agent-grpc")]
    sizes = "--num-cpus=1", "--object-store-memory=80000000", "--min-worker-port=0", "--max-worker-port=0"
    command = [str(Path(sys.executable).with_name("ray")), "start", "--block"]
    with log.open("wb") as output:
        node = subprocess.Popen(
            [*command, *sizes, *ports, *arguments],
            env=os.environ | environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    until = time.monotonic() + 60
    while "Ray runtime started" not in log.read_text():
        assert node.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.1)
    return node


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    directory = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # Ray's socket paths are limited to 107 bytes
    (directory / "sitecustomize.py").write_text(BLOCK)
    environment = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": "t" * 64,
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1",  # other tests may have closed Ray to other nodes
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    inside = environment | {"PYTHONPATH": str(directory)}
    address = f"127.0.0.2:{free_port()}"  # Ray takes 127.0.0.1 for the address of a network card
    head = (
        "--node-ip-address=127.0.0.2",
        f"--port={address.rpartition(':')[2]}",
        f"--temp-dir={directory}",
        "--include-dashboard=false",
    )
    started: list[subprocess.Popen[bytes]] = []
    try:
        client = f"--ray-client-server-port={free_port()}"
        started.append(start_ray(directory / "head.log", inside, "--head", *head, client))
        started.append(
            start_ray(
                directory / "node.log", inside, "--node-ip-address=127.0.0.3", f"--address={address}", "--num-gpus=2"
            )
        )
        yield Cluster(address, environment)
    finally:
        for node in started:
            os.killpg(node.pid, signal.SIGKILL)
            node.wait()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def member(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> str:
    """The cluster's address, with its token in the environment."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    return cluster.address


@one_at_a_time
def test_every_node_of_a_cluster_tells_what_it_has(
    member: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "platform.py").write_text("raise RuntimeError")
    monkeypatch.chdir(tmp_path)  # Ray's workers would import from here
    done = run_doctor("--json", "--address", member)
    nodes = [row for row in json.loads(done.output) if row["name"].startswith("node ")]
    assert done.return_value == 0, done.output
    assert len(nodes) == 2
    assert all(f"Python {HERE['Python']}, ray {HERE['ray']}, torch {HERE['torch']}" in row["text"] for row in nodes)
    assert sum("(Ray counts 2)" in row["text"] for row in nodes) == 1


@one_at_a_time
def test_a_cluster_may_be_named_by_the_environment_and_differ(member: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", member)
    monkeypatch.setattr("search.commands.doctor.describe", lambda: {"versions": HERE | {"torch": "2.99.0"}})
    done = run_doctor()
    lines = [line for line in done.output.splitlines() if "node " in line]
    assert done.return_value == 1
    assert len(lines) == 2
    assert all(line.startswith("wrong") for line in lines)
    assert all(f"torch must be 2.99.0 as here, or else {HERE['torch']} here" in line for line in lines)


@one_at_a_time
def test_a_cluster_that_wants_another_token_is_told(member: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "f" * 64)
    monkeypatch.setattr(cluster_check, "LONGEST", 10.0)  # Ray itself tries for 20 s
    with pytest.raises(ClusterError, match="it wants its token"):
        list(check_cluster(member, HERE))


def test_a_cluster_that_is_not_there_is_one_line_and_exit_code_5() -> None:
    address = f"127.0.0.1:{free_port()}"
    done = run_doctor("--address", address)
    (line,) = [line for line in done.output.splitlines() if line.startswith("wrong")]
    assert done.return_value == 5
    assert f"Ray cluster {address} cannot be reached: Connection refused" in line


def test_a_port_on_which_something_else_listens_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_check, "LONGEST", 4.0)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ClusterError, match="cannot be joined: no answer within 4 s"):
            list(check_cluster(address, HERE))


def test_a_host_that_does_not_exist_is_told() -> None:
    with pytest.raises(ClusterError, match="cannot be reached"):
        list(check_cluster("nowhere.invalid:6379", HERE))


@pytest.mark.parametrize("address", ["head", "head:", ":6379", "head:0", "head:99999", "head:port"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="address must be HOST:PORT"):
        list(check_cluster(address, HERE))
