"""Plain C99 for one image at once, of ONNX by emx-onnx-cgen: no library, no heap; weights are constants."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from functools import cached_property
from importlib.metadata import version
from math import prod
from pathlib import Path

import numpy as np
import onnx
from emx_onnx_cgen.compiler import Compiler, CompilerOptions
from emx_onnx_cgen.errors import CompilerError
from numpy.typing import NDArray
from onnx import helper

from search.errors import SettingsError
from search.export.c_header import HARNESS, header
from search.export.exportable import Exportable
from search.export.format import ExportError, Format
from search.export.graph import graph
from workers.dataset import DataSet

_COMPILERS = ("cc", "gcc", "clang")
_FLAGS = ("-std=c99", "-O2")


class PlainC(Format):
    """model.c and model.h; SettingsError where there is no compiler to check them with."""

    name = "c"

    def __init__(self) -> None:
        self._compiler = _compiler()

    @cached_property
    def runtime(self) -> str:
        told = _call([*self._compiler, "--version"], b"").decode(errors="replace")
        return f"{told.partition(chr(10))[0]}, {' '.join(_FLAGS)}"

    def write(self, model: Exportable, directory: Path, training: DataSet) -> None:
        made = _fused(onnx.shape_inference.infer_shapes(graph(model, batch=1)))
        options = CompilerOptions(model_name="model", large_temp_threshold_bytes=0, large_weight_threshold=0)
        try:
            code = Compiler(options).compile(made)
        except CompilerError as error:
            raise ExportError(f"emx-onnx-cgen {version('emx-onnx-cgen')} cannot write it: {error}") from error
        source, head = self.files
        (directory / source).write_text(code, encoding="utf-8")
        (directory / head).write_text(header(model, _stack(made)), encoding="utf-8")

    def run(self, model: Exportable, directory: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with tempfile.TemporaryDirectory() as scratch:
            program, harness = Path(scratch) / "program", Path(scratch) / "harness.c"
            harness.write_text(HARNESS)
            sources = [str(harness), str(directory / self.files[0])]
            _call([*self._compiler, *_FLAGS, f"-I{directory}", *sources, "-lm", "-o", str(program)], b"")
            said = _call([str(program)], model.inputs(images).tobytes())
        if len(said) != 4 * len(images) * model.architecture.classes:
            raise ExportError(f"the compiled program puts out {len(said)} bytes for {len(images)} images")
        return np.frombuffer(said, np.float32).reshape(len(images), -1)


def _compiler() -> list[str]:
    """What compiles here: what CC says, or the first of the usual names that is there."""
    program, *flags = shlex.split(os.environ.get("CC", "")) or [""]
    wanted = (program,) if program else _COMPILERS
    found = next(filter(None, map(shutil.which, wanted)), None)
    if found is None:
        raise SettingsError(
            f"format c needs a C compiler to check it (CC names one), but found none of {', '.join(wanted)}"
        )
    return [found, *flags]


def _call(command: list[str], given: bytes) -> bytes:
    """What a program says to what it is given; ExportError if it fails."""
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").splitlines()
        wrong = next((line for line in said if "error" in line), f"exit code {done.returncode}")
        raise ExportError(f"{Path(command[0]).name} failed: {wrong}")
    return done.stdout


def _fused(model: onnx.ModelProto) -> onnx.ModelProto:
    """Each ReLU in the convolution before it, so that the C has no array of its own for what lies between."""
    kept: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "Relu" and kept and kept[-1].op_type == "Conv":
            kept[-1].op_type, kept[-1].domain = "FusedConv", "com.microsoft"
            kept[-1].attribute.append(helper.make_attribute("activation", "Relu"))
            kept[-1].output[0] = node.output[0]
        else:
            kept.append(node)
    del model.graph.node[:]
    model.graph.node.extend(kept)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return model


def _stack(model: onnx.ModelProto) -> int:
    """Bytes of the arrays between the nodes: the generated function holds all of them at once."""
    made = {node.output[0] for node in model.graph.node}
    shapes = [value.type.tensor_type.shape for value in model.graph.value_info if value.name in made]
    return sum(4 * prod(dimension.dim_value for dimension in shape.dim) for shape in shapes)
