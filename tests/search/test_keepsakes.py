from __future__ import annotations

import json

from search.keepsakes import keepsakes
from search.ledger import RungResult
from space.candidate import Candidate, State

CANDIDATE = Candidate(
    number=3,
    state=State.RUNNING,
    origin="sampler",
    line="1x28x28-4c3nr-P2-10c1-G",
    seed=7,
    rungs={1: 0.5},
    losses={1: (2.0,)},
)
RESULT = RungResult(2, 0.75, 9.0, (1.5, 1.25))


def test_the_curves_are_those_of_all_rungs() -> None:
    files = {kept.filename: kept.content for kept in keepsakes(CANDIDATE, RESULT, None)}
    assert json.loads(files["curves.json"]) == {
        "architecture": CANDIDATE.line,
        "seed": 7,
        "rungs": [
            {"epochs": 1, "accuracy": 0.5, "losses": [2.0]},
            {"epochs": 2, "accuracy": 0.75, "losses": [1.5, 1.25]},
        ],
    }


def test_the_picture_shows_the_layers() -> None:
    files = {kept.filename: kept.content.decode() for kept in keepsakes(CANDIDATE, RESULT, None)}
    assert files["layers.svg"].startswith("<svg")
    assert "4c3" in files["layers.svg"]


def test_weights_are_kept_where_the_worker_sent_them() -> None:
    assert "weights.safetensors" not in {kept.filename for kept in keepsakes(CANDIDATE, RESULT, None)}
    kept = {kept.filename: kept for kept in keepsakes(CANDIDATE, RESULT, b"weights")}
    assert kept["weights.safetensors"].content == b"weights"
