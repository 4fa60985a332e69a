"""A network as an ONNX graph, written node by node: the same network gives the same bytes, without PyTorch's traces."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from search.export.exportable import Exportable
from search.export.folding import fold
from search.export.format import ExportError
from space.notation import write

OPSET = 17
IR_VERSION = 8
"""The two of ONNX 1.12 (2022): old enough for the runtimes that are about, and with all that is needed."""
INPUT = "images"
OUTPUT = "logits"


class _Operator(NamedTuple):
    """What one module becomes."""

    kind: str
    weights: Sequence[Tensor | None]
    attributes: dict[str, Any]


def graph(model: Exportable, batch: int | None = None) -> onnx.ModelProto:
    """The folded network, for `batch` images at once or for any number of them.

    Takes `images`, float32 or uint8 (N, C, H, W), and puts out `logits`, float32 (N, classes).
    """
    nodes, initialisers = _preprocessing(model) if model.takes_bytes else ([], [])
    for place, module in enumerate(fold(model.network())):
        node, weights = _node(module, place, nodes[-1].output[0] if nodes else INPUT)
        nodes.append(node)
        initialisers += weights
    nodes[-1].output[0] = OUTPUT
    size = "batch" if batch is None else batch
    kind = TensorProto.UINT8 if model.takes_bytes else TensorProto.FLOAT
    made = helper.make_graph(
        nodes,
        "petitnet",
        [helper.make_tensor_value_info(INPUT, kind, [size, *model.architecture.input])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [size, model.architecture.classes])],
        initialisers,
    )
    found = helper.make_model(
        made,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="petitnet",
        producer_version=version("petitnet"),
    )
    onnx.checker.check_model(found, full_check=True)
    return found


def _node(module: nn.Module, place: int, before: str) -> tuple[onnx.NodeProto, list[TensorProto]]:
    operator = _operator(module)
    weights = [
        _initialiser(f"{place}.{name}", tensor.detach().numpy())
        for name, tensor in zip(("weight", "bias", "mean", "variance"), operator.weights, strict=False)
        if tensor is not None
    ]
    name = f"{place}.{operator.kind.lower()}"
    inputs = [before, *(weight.name for weight in weights)]
    return helper.make_node(operator.kind, inputs, [name], name=name, **operator.attributes), weights


def _operator(module: nn.Module) -> _Operator:
    match module:
        case nn.Conv2d():
            kernel, padding = list(module.kernel_size), [int(side) for side in module.padding]
            attributes = {"kernel_shape": kernel, "pads": padding * 2, "group": module.groups}
            return _Operator("Conv", (module.weight, module.bias), attributes)
        case nn.BatchNorm1d():
            norm = (module.weight, module.bias, module.running_mean, module.running_var)
            return _Operator("BatchNormalization", norm, {"epsilon": module.eps})
        case nn.ReLU():
            return _Operator("Relu", (), {})
        case nn.MaxPool2d():
            return _Operator("MaxPool", (), {"kernel_shape": [module.kernel_size] * 2, "strides": [module.stride] * 2})
        case nn.AdaptiveAvgPool2d(output_size=1):
            return _Operator("GlobalAveragePool", (), {})
        case nn.Flatten():
            return _Operator("Flatten", (), {"axis": 1})
        case nn.Linear():
            return _Operator("Gemm", (module.weight, module.bias), {"transB": 1})
    raise ExportError(f"there is no ONNX operator for {module}")


def _preprocessing(model: Exportable) -> tuple[list[onnx.NodeProto], list[TensorProto]]:
    """Bytes to float, times scale, less shift."""
    nodes = [
        helper.make_node("Cast", [INPUT], ["float"], name="float", to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "scale"], ["scaled"], name="scaled"),
        helper.make_node("Sub", ["scaled", "shift"], ["normalised"], name="normalised"),
    ]
    preprocess = model.preprocess
    return nodes, [_initialiser(name, getattr(preprocess, name).numpy()) for name in ("scale", "shift")]


def _initialiser(name: str, values: NDArray[np.float32]) -> TensorProto:
    return numpy_helper.from_array(np.ascontiguousarray(values), name)


def describe(model: Exportable, into: onnx.ModelProto) -> None:
    """Write down in an ONNX model's metadata what it takes, and where it comes from."""
    preprocessing = {
        "included": model.takes_bytes,
        "layout": "NCHW",
        "formula": "(byte / 255 - mean) / deviation",
        "mean": model.mean,
        "deviation": model.deviation,
    }
    helper.set_model_props(
        into,
        {
            "preprocessing": json.dumps(preprocessing),
            "classes": str(model.architecture.classes),
            "dataset": model.dataset,
            "study": model.study,
            "candidate": str(model.candidate.number),
            "architecture": write(model.architecture),
            "parameters": str(model.candidate.parameters),
            "verified_test_accuracy": str(model.verification.accuracy),
        },
    )
