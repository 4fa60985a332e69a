"""A network's weights as bytes: safetensors, which cannot carry code."""

from __future__ import annotations

from collections.abc import Mapping

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor


def pack(state: Mapping[str, Tensor]) -> bytes:
    """A network's `state_dict`, on any device and in any memory layout."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()})


def unpack(packed: bytes) -> dict[str, Tensor]:
    """The `state_dict` that was packed, on the CPU; ValueError if the bytes are not one."""
    try:
        return load(packed)
    except SafetensorError as error:
        raise ValueError(f"these bytes are not a network's weights: {error}") from error
