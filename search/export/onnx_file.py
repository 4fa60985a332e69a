"""ONNX in float32: one file for any number of images at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from search.export import graph
from search.export.exportable import Exportable
from search.export.format import ExportError, Format, parts
from workers.dataset import DataSet

_ERRORS_ONLY = 3
"""onnxruntime's severity of what is logged."""


class Onnx(Format):
    """model.onnx."""

    name = "onnx"

    @property
    def runtime(self) -> str:
        return f"onnxruntime {onnxruntime.__version__}"

    def write(self, model: Exportable, directory: Path, training: DataSet) -> None:
        made = graph.graph(model)
        graph.describe(model, made)
        onnx.save_model(made, directory / self.files[0])

    def run(self, model: Exportable, directory: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return answers((directory / self.files[0]).read_bytes(), model.inputs(images))


def answers(serialised: bytes, inputs: NDArray[Any]) -> NDArray[np.float32]:
    """What onnxruntime makes of a model on the CPU; ExportError where it cannot."""
    batches = parts(inputs)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = _ERRORS_ONLY
    try:
        session = onnxruntime.InferenceSession(serialised, options, providers=["CPUExecutionProvider"])
        logits = [session.run([graph.OUTPUT], {graph.INPUT: part})[0] for part in batches]
    except Exception as error:  # onnxruntime's own are children of Exception alone
        raise ExportError(f"onnxruntime cannot run it: {error}") from error
    return np.concatenate(logits)
