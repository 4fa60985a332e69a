"""metrics.json: what is known of an exported network and of each of its files, as plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from search.export.exportable import Exportable
from search.export.footprint import COUNTED, footprint
from search.export.format import Format
from search.export.parity import Parity
from space.candidate import Candidate
from space.notation import write
from space.statistics import Summary


def metrics(model: Exportable, passed: Mapping[Format, Parity], directory: Path) -> dict[str, Any]:
    """All of it, for the formats that passed, one at least; their files are read in `directory`."""
    architecture, bytes_needed = model.architecture, footprint(model)
    parity = next(iter(passed.values()))
    totals = architecture.totals
    return {
        "study": model.study,
        "candidate": model.candidate.number,
        "architecture": write(architecture),
        "parameters": model.candidate.parameters,
        "parameters_held_at_zero": totals.parameters - model.candidate.parameters,
        "macs": totals.macs,
        "peak_activation_bytes": {"float32": totals.peak_activation_bytes, "int8": totals.peak_activations},
        "int8": {"flash_bytes": bytes_needed.flash, "ram_bytes": bytes_needed.ram, "counted": COUNTED},
        "input": {
            "shape": list(architecture.input),
            "mean": list(model.mean),
            "deviation": list(model.deviation),
            "preprocessing_included": model.takes_bytes,
        },
        "classes": architecture.classes,
        "data": {
            "name": model.dataset,
            "train_images_sha256": model.checksum,
            "test_images": parity.images,
        },
        "verification": _verification(model),
        "search": _search(model.candidate) | {"settings": dict(model.settings), "conditions": dict(model.conditions)},
        "pytorch": {"version": torch.__version__, "test_accuracy": parity.expected / parity.images},
        "files": [row for one, parity in passed.items() for row in _files(one, parity, directory)],
    }


def _verification(model: Exportable) -> dict[str, Any]:
    """The training whose weights these are, and the others beside it."""
    runs = model.candidate.verifications
    summary = Summary.of([run.accuracy for run in runs])
    return {
        "exported": model.verification.place,
        "mean_test_accuracy": summary.mean,
        "standard_deviation": summary.deviation,
        "interval_of_the_mean": summary.interval,
        "worst": summary.worst,
        "runs": [asdict(run) for run in runs],
    }


def _search(candidate: Candidate) -> dict[str, Any]:
    """How the candidate was found, all on images that are not for testing."""
    return {
        "origin": candidate.origin,
        "seed": candidate.seed,
        "pruning": None if candidate.pruning is None else asdict(candidate.pruning),
        "validation_accuracy": {str(epochs): accuracy for epochs, accuracy in candidate.rungs.items()},
        "confirmations": [asdict(confirmation) for confirmation in candidate.confirmations],
    }


def _files(one: Format, parity: Parity, directory: Path) -> list[dict[str, Any]]:
    return [
        {
            "file": name,
            "format": one.name,
            "bytes": (directory / name).stat().st_size,
            "sha256": hashlib.sha256((directory / name).read_bytes()).hexdigest(),
            "runtime": one.runtime,
            "test_accuracy": parity.accuracy,
            "predictions": parity.images,
            "predictions_as_pytorch": parity.equal,
            "largest_logit_difference": parity.difference,
        }
        for name in one.files
    ]
