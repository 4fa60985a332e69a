"""What a network takes up on a microcontroller that computes in int8: counted, not measured."""

from __future__ import annotations

from dataclasses import dataclass

from search.export.exportable import Exportable
from search.export.folding import fold

COUNTED = (
    "flash: with batch norms folded, a byte a weight, 4 bytes a bias and 4 bytes for the scale of each output channel, "
    "and 5 bytes for scale and zero point of each activation; "
    "RAM: a layer's input and output as bytes, where they are largest together; "
    "the code and what it needs for itself come on top"
)
"""How the numbers come about, for those who read them."""

_BIAS = _SCALE = 4
_RANGE = 5
"""Bytes of an activation's scale (float32) and zero point (int8)."""


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """Bytes in int8."""

    flash: int
    ram: int


def footprint(model: Exportable) -> Footprint:
    """Counted as `COUNTED` says."""
    flash = _RANGE
    for module in fold(model.network()):
        for name, tensor in module.named_parameters():
            flash += tensor.numel() if name == "weight" else _BIAS * tensor.numel()
            flash += len(tensor) * _SCALE + _RANGE if name == "weight" else 0
    return Footprint(flash=flash, ram=model.architecture.totals.peak_activations)
