from __future__ import annotations

import json
from io import StringIO
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


def test_it_says_that_it_is_ready_and_waits_for_the_signal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["1x8x8-24c3pnr-24c3pnr-P2-24c3pnr-10c3p-G", "1x8x8-2c3r-10c3-G"]
    order = {"lines": lines, "batch": 32, "seconds": 0.0, "numerics": "a file", "niceness": 0}
    monkeypatch.setattr("sys.stdin", StringIO(f"{json.dumps(order)}\nbegin\n"))
    monkeypatch.setattr(pace, "fastest", lambda file: Numerics())
    monkeypatch.setattr(pace, "device", lambda: torch.device("cpu"))
    pace.main()
    ready, told = map(json.loads, capsys.readouterr().out.splitlines())
    assert ready == {"device": "cpu", "numerics": "float32, channels first"}
    assert len(told) == 2
    assert all(value > 0 for each in told for value in each)
