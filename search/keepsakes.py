"""What is kept of a candidate as files: its weights, how its training went, and its picture."""

from __future__ import annotations

import json

from search.artifacts import Artifact
from search.ledger import RungResult
from space.candidate import Candidate
from space.notation import read


def keepsakes(candidate: Candidate, result: RungResult, weights: bytes | None) -> list[Artifact]:
    """The files of a candidate that ends with `result`; `weights` are None where the worker sent none."""
    from dashboards.ink.drawing import svg
    from dashboards.layer_drawing import draw

    picture = svg(draw(read(candidate.line)))
    found = [
        Artifact(filename="curves.json", mimetype="application/json", content=_curves(candidate, result).encode()),
        Artifact(filename="layers.svg", mimetype="image/svg+xml", content=picture.encode()),
    ]
    if weights is not None:
        found.append(
            Artifact(filename="weights.safetensors", mimetype="application/octet-stream", content=weights),
        )
    return found


def _curves(candidate: Candidate, result: RungResult) -> str:
    """Validation accuracy of each rung and the training loss of each of its epochs."""
    rungs = candidate.rungs | {result.epochs: result.accuracy}
    losses = candidate.losses | {result.epochs: result.losses}
    found = [
        {"epochs": epochs, "accuracy": rungs[epochs], "losses": losses.get(epochs, ())} for epochs in sorted(rungs)
    ]
    return json.dumps({"architecture": candidate.line, "seed": candidate.seed, "rungs": found}, indent=2) + "\n"
