"""deploy/rayjob.yaml: its parts fit together, and with what the code and the image say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from search.submitting import check

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "rayjob.yaml"
DOCUMENTS: dict[str, dict[str, Any]] = {part["kind"]: part for part in yaml.safe_load_all(FILE.read_text())}
JOB: dict[str, Any] = DOCUMENTS["RayJob"]["spec"]
CLUSTER: dict[str, Any] = JOB["rayClusterSpec"]
HEAD: dict[str, Any] = CLUSTER["headGroupSpec"]
GROUPS: dict[str, dict[str, Any]] = {group["groupName"]: group for group in CLUSTER["workerGroupSpecs"]}
POSTGRES: dict[str, Any] = DOCUMENTS["StatefulSet"]["spec"]["template"]["spec"]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def pods() -> Iterator[dict[str, Any]]:
    yield POSTGRES
    for group in (HEAD, *GROUPS.values()):
        yield group["template"]["spec"]


def container(group: dict[str, Any]) -> dict[str, Any]:
    (only,) = group["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def variables(of: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in of.get("env", [])}


def test_it_is_the_main_job() -> None:
    assert DOCUMENTS["RayJob"]["apiVersion"] == "ray.io/v1"
    program, *arguments = shlex.split(JOB["entrypoint"])
    assert program == "search"
    assert arguments == "run --budget 10000 --target 0.994".split()
    check(arguments)


def test_it_ends_with_its_search_and_is_not_tried_again() -> None:
    assert JOB["backoffLimit"] == 0
    assert JOB["shutdownAfterJobFinishes"] is True
    assert JOB["ttlSecondsAfterFinished"] > 0


def test_its_ray_is_the_image_s_and_asks_for_a_token() -> None:
    assert f"ray=={CLUSTER['rayVersion']}" in (ROOT / "constraints.txt").read_text().splitlines()
    assert CLUSTER["authOptions"] == {"mode": "token"}
    assert {container(group)["image"] for group in (HEAD, *GROUPS.values())} == {COMPOSE["worker"]["image"]}


def test_the_head_trains_nothing_and_knows_the_database() -> None:
    assert HEAD["rayStartParams"] == {"num-cpus": "0", "num-gpus": "0", "dashboard-host": "0.0.0.0"}
    environment = variables(container(HEAD))
    assert environment["OPTUNA_STORAGE"] == "postgresql://petitnet@petitnet-postgres/petitnet"
    assert DOCUMENTS["Service"]["metadata"]["name"] == "petitnet-postgres"
    assert DOCUMENTS["Service"]["spec"]["selector"] == {"app": "petitnet-postgres"}
    assert all(variables(container(group)) == {} for group in GROUPS.values())


def test_cores_train_by_default_and_gpus_on_demand() -> None:
    assert GROUPS["cpu"]["replicas"] >= 1
    assert GROUPS["gpu"]["replicas"] == GROUPS["gpu"]["minReplicas"] == 0
    limits = {name: container(group)["resources"]["limits"] for name, group in GROUPS.items()}
    assert limits["gpu"]["nvidia.com/gpu"] == 1
    assert "nvidia.com/gpu" not in limits["cpu"]
    for group in GROUPS.values():
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        assert group["template"]["spec"]["terminationGracePeriodSeconds"] > 30


def test_passwords_come_from_files_of_one_secret() -> None:
    assert not re.search(r"://[^/@\s]*:[^/@\s]*@", FILE.read_text())
    for pod in pods():
        mounted = {
            f"{mount['mountPath']}/{item['path']}"
            for volume in pod.get("volumes", [])
            if "secret" in volume
            for item in volume["secret"]["items"]
            for one in pod["containers"]
            for mount in one["volumeMounts"]
            if mount["name"] == volume["name"]
        }
        told = {value for one in pod["containers"] for name, value in variables(one).items() if "PASSWORD" in name}
        assert told == mounted
    assert "postgres_password" in (ROOT / "deploy" / "make-secrets").read_text()


def test_every_mount_has_its_volume() -> None:
    claims = {claim["metadata"]["name"] for claim in DOCUMENTS["StatefulSet"]["spec"]["volumeClaimTemplates"]}
    for pod in pods():
        there = {volume["name"] for volume in pod.get("volumes", [])} | claims
        assert all(mount["name"] in there for one in pod["containers"] for mount in one.get("volumeMounts", []))
    home = next(volume for volume in HEAD["template"]["spec"]["volumes"] if volume["name"] == "home")
    assert home["persistentVolumeClaim"]["claimName"] == DOCUMENTS["PersistentVolumeClaim"]["metadata"]["name"]


def test_nobody_is_root() -> None:
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        for one in [*pod["containers"], *pod.get("initContainers", [])]:
            assert one["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_probes_ask_what_compose_asks() -> None:
    for group, service in ((HEAD, "ray-head"), *((group, "worker") for group in GROUPS.values())):
        for probe in ("readinessProbe", "livenessProbe"):
            asked = container(group)[probe]["httpGet"]
            assert COMPOSE[service]["healthcheck"]["test"][-1] == f"http://127.0.0.1:{asked['port']}{asked['path']}"
