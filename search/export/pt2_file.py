"""PyTorch's own exported program: `torch.export.load` gives the network back without the code that built it."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from search.export.exportable import Exportable
from search.export.format import ExportError, Format, parts
from workers.dataset import DataSet


class ExportedProgram(Format):
    """model.pt2."""

    name = "pt2"

    @property
    def runtime(self) -> str:
        return f"torch {torch.__version__}"

    def write(self, model: Exportable, directory: Path, training: DataSet) -> None:
        network = nn.Sequential(model.preprocess, model.network()) if model.takes_bytes else model.network()
        example = torch.tensor(model.inputs(np.zeros((2, *model.architecture.input), np.uint8)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(network.eval(), (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
            for node in program.graph.nodes:
                node.meta.pop("stack_trace", None)  # it names files of this machine
            torch.export.save(program, directory / self.files[0])

    def run(self, model: Exportable, directory: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        batches = [torch.tensor(part) for part in parts(model.inputs(images))]
        try:
            network = torch.export.load(directory / self.files[0]).module()
            with torch.no_grad():
                logits = [network(batch) for batch in batches]
        except Exception as error:  # torch promises no kind of error
            raise ExportError(f"torch cannot run it: {error}") from error
        found: NDArray[np.float32] = torch.cat(logits).numpy()
        return found
