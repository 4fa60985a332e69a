"""The network an Architecture describes, with weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from space.architecture import Architecture

if TYPE_CHECKING:
    from torch import nn


def build(architecture: Architecture) -> nn.Sequential:
    """A freshly initialised network: float (N, channels, height, width) in, logits (N, classes) out.

    Weights come from torch's global generator: seed it for the same network again.
    """
    from torch import nn

    shape = architecture.input
    modules = []
    for layer in architecture.layers:
        modules.append(layer.module(shape))
        shape = layer.output(shape)
    return nn.Sequential(*modules)
