"""What every format of an export does: write its files, and run them as whoever gets them will."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from search.export.exportable import BATCH, Exportable
from search.export.names import FORMATS
from workers.dataset import DataSet


class ExportError(Exception):
    """A file that cannot be written, or that its runtime cannot run."""


class Format(ABC):
    """One way to write a network down."""

    name: ClassVar[str]
    """As in `FORMATS`."""
    may_lose: ClassVar[float | None] = None
    """Share of the test images that PyTorch alone may have right; None where every prediction must be PyTorch's."""

    @property
    def files(self) -> tuple[str, ...]:
        """Names of what it writes."""
        return FORMATS[self.name]

    @property
    @abstractmethod
    def runtime(self) -> str:
        """What runs the files here, with its version."""

    @abstractmethod
    def write(self, model: Exportable, directory: Path, training: DataSet) -> None:
        """Write the files; ExportError where that cannot be. Test images play no part."""

    @abstractmethod
    def run(self, model: Exportable, directory: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the files make of images (N, C, H, W): logits (N, classes). ExportError where they cannot be run."""


def parts(inputs: NDArray[Any]) -> list[NDArray[Any]]:
    """Batches, and the last image alone: any number at once must do."""
    last = len(inputs) - 1
    return [inputs[begin : min(begin + BATCH, last)] for begin in range(0, last, BATCH)] + [inputs[last:]]
