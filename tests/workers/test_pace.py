from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from space.notation import read
from workers import pace
from workers.numerics import Numerics
from workers.recipe import Recipe
from workers.training import Batches, batches

LARGE, SMALL = read("1x8x8-24c3pnr-24c3pnr-P2-24c3pnr-10c3p-G"), read("1x8x8-2c3r-10c3-G")
RECIPE = Recipe(epochs=1, batch=32)


@pytest.fixture
def data() -> Batches:
    return batches(pace.random_images((1, 8, 8), 10), None, Numerics(), torch.device("cpu"))


def test_each_network_has_its_own_pace(data: Batches) -> None:
    large, small = pace.paces([LARGE, SMALL], data, RECIPE, 0.0)
    assert large.step > small.step > 0
    assert large.image > small.image > 0


def test_networks_are_timed_by_turns_until_the_time_is_up(data: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    timed = []

    def one(network: object, *_: object) -> pace.Pace:
        nonlocal now
        now += 2.0
        timed.append(network)
        return pace.Pace(float(len(timed)), 0.0)

    monkeypatch.setattr(pace, "pace", one)
    monkeypatch.setattr("workers.pace.time", SimpleNamespace(monotonic=lambda: now))
    assert pace.paces([LARGE, SMALL], data, RECIPE, 9.0) == [pace.Pace(3.0, 0.0), pace.Pace(3.0, 0.0)]
    assert timed == [LARGE, SMALL, LARGE, SMALL, LARGE]
    assert len(pace.paces([LARGE, SMALL], data, RECIPE, 0.0)) == 2  # each once at least


def test_a_network_that_diverges_is_timed_as_well(data: Batches) -> None:
    found = pace.pace(SMALL, data, Recipe(epochs=1, batch=32, peak=1e30, other_peak=1e30))
    assert min(found) > 0


def test_a_process_of_its_own_says_when_it_is_ready_and_waits(tmp_path: Path) -> None:
    order = {
        "lines": ["1x8x8-24c3pnr-24c3pnr-P2-24c3pnr-10c3p-G", "1x8x8-2c3r-10c3-G"],
        "image": [1, 8, 8],
        "classes": 10,
        "batch": 32,
        "seconds": 0.0,
        "numerics": str(tmp_path / "numerics.json"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "workers.pace"],
        input=f"{json.dumps(order)}\nbegin\n",
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PETITNET_HOME": str(tmp_path)},
    )
    ready, told = map(json.loads, done.stdout.splitlines())
    assert ready.keys() == {"device", "numerics"}
    assert len(told) == 2
    assert all(value > 0 for each in told for value in each)
