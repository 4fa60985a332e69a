"""A slim network's weights, of those of the large one: both put out the same if what is gone was dead."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import NamedTuple

from torch import Tensor

from space.architecture import Architecture
from space.layers import Conv, DepthwiseConv, Flatten, Linear
from space.slimming import Kept, Places


class Flow(NamedTuple):
    """What a layer of the slim network gets and puts out, by places in the large one."""

    inputs: Places
    outputs: Places


def flows(architecture: Architecture, kept: Kept) -> list[Flow]:
    """What goes in and out of each layer if only the `kept` filters are there.

    A flattened map has its features channel by channel, so that a channel takes one for each of its pixels along.
    """
    filters = iter(kept)
    shape, inputs = architecture.input, tuple(range(architecture.input[0]))
    found = []
    for layer in architecture.layers:
        match layer:
            case Conv():
                outputs = next(filters)
            case Flatten():
                pixels = prod(shape[1:])
                outputs = tuple(channel * pixels + pixel for channel in inputs for pixel in range(pixels))
            case Linear():
                outputs = tuple(range(layer.features))
            case _:
                outputs = inputs
        found.append(Flow(inputs, outputs))
        shape, inputs = layer.output(shape), outputs
    return found


def slim_weights(architecture: Architecture, state: Mapping[str, Tensor], kept: Kept) -> dict[str, Tensor]:
    """The slim network's `state_dict`: of the large network's, copies of what belongs to the filters kept."""
    passing = [(list(inputs), list(outputs)) for inputs, outputs in flows(architecture, kept)]
    found = {}
    for name, tensor in state.items():
        place = int(name.split(".")[0])
        inputs, outputs = passing[place]
        match tensor.ndim:
            case 0:  # how many batches a batch norm has seen
                found[name] = tensor.clone()
            case 1:
                found[name] = tensor[outputs]
            case _ if isinstance(architecture.layers[place], DepthwiseConv):
                found[name] = tensor[outputs]
            case _:
                found[name] = tensor[outputs][:, inputs]
    return found
