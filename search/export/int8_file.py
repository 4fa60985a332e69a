"""ONNX in int8, calibrated on training images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from search.export import graph
from search.export.exportable import Exportable
from search.export.onnx_file import Onnx, answers
from search.export.quantisation import PERCENTILES, quantised
from workers.dataset import DataSet

_CALIBRATION = 512
"""Training images whose activations give the ranges."""
_JUDGES = 2048
"""Other training images, at most, by which the percentile is chosen."""
_SEED = 0


class Int8Onnx(Onnx):
    """model.int8.onnx."""

    name = "onnx-int8"
    may_lose = 0.001

    def write(self, model: Exportable, directory: Path, training: DataSet) -> None:
        """Calibrated with each percentile, and the one kept that is closest to PyTorch on other training images."""
        order = np.random.default_rng(_SEED).permutation(len(training))
        calibration = model.inputs(training.images[order[:_CALIBRATION]])
        judges = training.images[order[_CALIBRATION:][:_JUDGES]]
        whole = graph.graph(model)
        made = [quantised(whole, calibration, percentile) for percentile in PERCENTILES]
        inputs, expected = model.inputs(judges), model.logits(judges)
        best = min(made, key=lambda one: _distance(answers(one.SerializeToString(), inputs), expected))
        graph.describe(model, best)
        onnx.save_model(best, directory / self.files[0])


def _distance(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Mean squared difference of the logits; so few predictions differ that their number is mostly luck."""
    return float(np.square(found - expected).mean())
