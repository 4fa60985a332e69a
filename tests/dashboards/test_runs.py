from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from dashboards.runs import run_rows, runs_table, trainings
from space.candidate import Candidate, Run, Verification


@pytest.fixture
def same(candidates: list[Candidate]) -> list[Candidate]:
    """An interrupted candidate, and the one that took its place."""
    repeats = tuple(Run(seed=seed, accuracy=accuracy, seconds=60.0) for seed, accuracy in ((8, 0.94), (9, 0.93)))
    tested = Verification(place=0, seed=4, accuracy=0.5, confusion=((1, 1), (0, 0)), epochs=16, seconds=1.0)
    return [
        candidates[1],
        replace(candidates[3], seed=7, repeats=repeats, verifications=(tested,), shorter=(replace(tested, epochs=4),)),
    ]


def test_all_trainings_of_a_network_are_told_with_what_they_were_measured_on(same: list[Candidate]) -> None:
    found = [(one.candidate, one.kind, one.fold, one.epochs, one.seed, one.accuracy) for one in trainings(same, 16)]
    assert found == [
        (1, "validation", 0, 1, 0, 0.5),
        (3, "validation", 0, 1, 7, 0.6),
        (3, "validation", 0, 4, 7, 0.8),
        (3, "validation", 0, 16, 7, 0.92),
        (3, "validation", 0, 16, 8, 0.94),
        (3, "validation", 0, 16, 9, 0.93),
        (3, "confirmation", 1, 16, 1, 0.91),
        (3, "confirmation", 2, 16, 2, 0.93),
        (3, "test", None, 4, 4, 0.5),
        (3, "test", None, 16, 4, 0.5),
    ]


def test_those_alike_have_a_mean_and_a_spread(same: list[Candidate]) -> None:
    row = json.loads(json.dumps(run_rows(trainings(same, 16))))
    assert len(row["runs"]) == 10
    spreads = {(one["kind"], one["epochs"]): one for one in row["spreads"]}
    assert spreads.keys() == {
        ("validation", 1),
        ("validation", 4),
        ("validation", 16),
        ("confirmation", 16),
        ("test", 4),
        ("test", 16),
    }
    several = spreads["validation", 16]
    assert (several["count"], several["mean"], several["worst"]) == (3, pytest.approx(0.93), 0.92)
    assert several["deviation"] == pytest.approx(0.01)
    assert spreads["validation", 4]["deviation"] is None


def test_the_table_has_a_line_for_each_and_one_for_those_alike(same: list[Candidate]) -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(runs_table(trainings(same, 16)))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for part in ("94.00 %", "mean of 3 trainings", "93.00 %", "deviation 1.00 points", "mean of 2 trainings", "#1"):
        assert part in text
    assert "mean of 1" not in text
