"""An ONNX model in int8: weights a channel each, activations by ranges seen on training images."""

from __future__ import annotations

import io
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

from search.export.graph import INPUT

PERCENTILES = (100.0, 99.999, 99.99)
"""How many of an activation's values its range may hold, in percent: the fewer, the finer are its steps.

In the order in which equally good ones are preferred.
"""
_OPERATORS = ["Conv", "Gemm", "Relu", "MaxPool", "Flatten"]
"""What is done in int8; preprocessing and the last mean are left in float32."""
_BATCH = 64
"""Images at once: a histogram of all their activations is made."""


class _Images(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Calibration images in batches."""

    def __init__(self, inputs: NDArray[Any]) -> None:
        self._batches = iter([inputs[begin : begin + _BATCH] for begin in range(0, len(inputs), _BATCH)])

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: batch}


def quantised(model: onnx.ModelProto, inputs: NDArray[Any], percentile: float) -> onnx.ModelProto:
    """`model` in int8 (QDQ, int8 weights a channel, int8 activations), calibrated with `inputs`."""
    whole = percentile == 100
    prepared = onnx.ModelProto()
    prepared.CopyFrom(model)
    add_pre_process_metadata(prepared)  # the graph is folded and has its shapes: nothing is left to prepare
    with tempfile.TemporaryDirectory() as scratch, _silence():
        file = Path(scratch) / "model.onnx"
        quantize_static(
            prepared,
            file,
            _Images(inputs),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_OPERATORS,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax if whole else CalibrationMethod.Percentile,
            extra_options={} if whole else {"CalibPercentile": percentile},
        )
        return onnx.load_model(file)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what onnxruntime prints and logs while it quantises off the terminal."""
    nobody, root = logging.NullHandler(), logging.getLogger()
    root.addHandler(nobody)  # with no handler at all, the first warning would set one up for good
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        root.removeHandler(nobody)
