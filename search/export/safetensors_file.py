"""The weights alone, as safetensors, with a model.py that builds the network around them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray

from search.export.exportable import Exportable
from search.export.format import ExportError, Format, parts
from search.export.model_source import source
from workers.dataset import DataSet
from workers.weights import pack


class Safetensors(Format):
    """model.safetensors and model.py."""

    name = "safetensors"

    @property
    def runtime(self) -> str:
        return f"model.py on torch {torch.__version__}"

    def write(self, model: Exportable, directory: Path, training: DataSet) -> None:
        weights, code = self.files
        (directory / weights).write_bytes(pack(model.state))
        (directory / code).write_text(source(model), encoding="utf-8")

    def run(self, model: Exportable, directory: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        batches = [torch.tensor(part) for part in parts(images)]
        try:
            written = _imported(directory / self.files[1])
            network = written.load()
            with torch.no_grad():
                logits = [network(written.preprocess(batch)) for batch in batches]
        except Exception as error:  # whatever is wrong with the file
            raise ExportError(f"model.py cannot be run: {error}") from error
        found: NDArray[np.float32] = torch.cat(logits).numpy()
        return found


def _imported(file: Path) -> ModuleType:
    """The file as a module of its own: not found by name, and no bytecode is left beside it."""
    module = ModuleType("model")
    module.__file__ = str(file)
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), module.__dict__)
    return module
