"""Which networks are one and the same, however they are written, and a short name for each.

Two networks are the same if equal weights make equal functions of them, in training as well as after it, at the same
cost in parameters and multiply-accumulates. What is taken for the same here can be proved:

- a dropout of rate 0, and a max pool of one pixel, do nothing;
- a ReLU of what is not negative does nothing: after a ReLU, also with dropout, pools or a flattening in between;
- ReLU and dropout are of single activations, so that they are the same before and after a flattening;
- the global average of a map of one pixel is its flattening;
- a depthwise convolution of one channel is a convolution with one filter;
- a convolution without padding over its whole map is a dense layer on the flattened map, with the same weights in the
  same order, and what follows it on the map of one pixel is the same on its features.

What choices a network leaves unused (widths of stages that it lacks, growth beyond the limits) makes no difference,
since architectures are compared. Not the same, for example: a bias that batch norm takes away again, which costs
parameters, and a 1x1 convolution before or after the global average, which costs more on the map.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from space.architecture import Architecture
from space.layers import (
    BatchNorm,
    Conv,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
    Linear,
    MaxPool,
    ReLU,
    Shape,
)
from space.notation import write

_DIGITS = 12


def identity(architecture: Architecture) -> str:
    """12 hexadecimal digits: the same for networks that are the same, and as good as surely for no others."""
    line = write(canonical(architecture))
    return hashlib.sha256(line.encode()).hexdigest()[:_DIGITS]


def canonical(architecture: Architecture) -> Architecture:
    """The one way of writing a network that all ways of writing it come to."""
    shapes = _shapes(architecture.input, architecture.layers)
    layers = [_alone(layer, shape) for layer, shape in zip(architecture.layers, shapes, strict=False)]
    layers = _without_idle(layers)
    layers = _flattened_early(architecture.input, layers)
    return Architecture(architecture.input, tuple(_flattened_after_activations(layers)))


def _shapes(image: Shape, layers: Sequence[Layer]) -> list[Shape]:
    """What each layer takes in, and what the last one puts out."""
    found = [image]
    for layer in layers:
        found.append(layer.output(found[-1]))
    return found


def _alone(layer: Layer, shape: Shape) -> Layer:
    """What a layer is for inputs of this shape, where a depthwise one has no other channel to leave out."""
    if isinstance(layer, DepthwiseConv) and shape[0] == 1:
        return Conv(1, layer.kernel, layer.padding, layer.bias)
    return layer


def _without_idle(layers: Sequence[Layer]) -> list[Layer]:
    """Without those that do nothing."""
    found: list[Layer] = []
    is_negative = True
    """Whether activations may be."""
    for layer in layers:
        match layer:
            case Dropout(rate=0) | MaxPool(size=1):
                continue
            case ReLU() if not is_negative:
                continue
            case ReLU():
                is_negative = False
            case Conv() | DepthwiseConv() | Linear() | BatchNorm():
                is_negative = True
        found.append(layer)
    return found


def _flattened_early(image: Shape, layers: Sequence[Layer]) -> list[Layer]:
    """With maps of one pixel as features, and the convolution that makes them as a dense layer."""
    end = next(place for place, layer in enumerate(layers) if isinstance(layer, Flatten | GlobalAveragePool))
    shapes = _shapes(image, layers)
    if isinstance(layers[end], GlobalAveragePool) and shapes[end][1:] != (1, 1):
        return list(layers)
    begin = end
    while begin and shapes[begin][1:] == (1, 1) and _on_features(layers[begin - 1], shapes[begin - 1]) is not None:
        begin -= 1
    dense = [_on_features(layer, shape) for layer, shape in zip(layers[begin:end], shapes[begin:end], strict=True)]
    return [*layers[:begin], Flatten(), *(layer for layer in dense if layer is not None), *layers[end + 1 :]]


def _on_features(layer: Layer, shape: Shape) -> Layer | None:
    """What a layer that leaves one pixel is on the flattened map; None if it is nothing there."""
    match layer:
        case BatchNorm() | ReLU() | Dropout():
            return layer
        case Conv(filters=filters, kernel=kernel, padding=0, bias=bias) if shape[1:] == (kernel, kernel):
            return Linear(filters, bias)
    return None


def _flattened_after_activations(layers: Sequence[Layer]) -> list[Layer]:
    """With ReLU and dropout that follow a flattening before it."""
    found = list(layers)
    for place, after in enumerate(layers[1:]):
        if isinstance(found[place], Flatten) and isinstance(after, ReLU | Dropout):
            found[place : place + 2] = [after, found[place]]
    return found
