"""The records under results/ say the same everywhere: in their weights, their numbers and the README's table."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from dashboards.text import number, percent
from space.building import build
from space.notation import read
from workers.weights import unpack

ROOT = Path(__file__).parent.parent
RECORDS = sorted((ROOT / "results" / "records").glob("*/metrics.json"))


def told(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_there_are_records() -> None:
    assert RECORDS


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.parent.name)
def test_the_weights_are_those_of_the_network_that_was_counted(file: Path) -> None:
    metrics = told(file)
    network = build(read(metrics["architecture"]))
    network.load_state_dict(unpack(file.with_name("model.safetensors").read_bytes()))
    assert sum(weights.numel() for weights in network.parameters()) == metrics["parameters"]


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.parent.name)
def test_the_mean_is_that_of_five_trainings_of_one_length(file: Path) -> None:
    verification = told(file)["verification"]
    runs = verification["runs"]
    assert len({run["seed"] for run in runs}) == 5
    assert len({run["epochs"] for run in runs}) == 1
    assert verification["mean_test_accuracy"] == pytest.approx(fmean(run["accuracy"] for run in runs))


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.parent.name)
def test_the_readme_has_its_row(file: Path) -> None:
    metrics = told(file)
    rows = re.findall(r"^\|.*\|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    (row,) = (row for row in rows if f"(results/records/{file.parent.name})" in row)
    assert f" {number(metrics['parameters'])} " in row
    assert percent(metrics["verification"]["mean_test_accuracy"]) in row
    assert percent(metrics["verification"]["worst"]) in row
