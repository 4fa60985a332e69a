"""What a network costs, by arithmetic on ints: no tensor is made and torch is not imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import NamedTuple

from space.layers import Layer, Shape


class Totals(NamedTuple):
    """The costs of one network for one image."""

    parameters: int
    """Trainable scalars: weights, biases, batch-norm scale and shift (running statistics are buffers)."""
    macs: int
    """Multiply-accumulates of convolutions and dense layers."""
    peak_activations: int
    """Most activations alive at once: a layer's input and output, or one of them where it works in place."""
    receptive_field: int
    """Side in pixels of the square of the image that one value before the global pooling or flattening can see."""

    @property
    def peak_activation_bytes(self) -> int:
        """`peak_activations` as float32, in bytes."""
        return 4 * self.peak_activations


class Row(NamedTuple):
    """One line of a layer table."""

    layer: Layer
    shape: Shape
    """What the layer puts out."""
    parameters: int
    macs: int


def rows(shape: Shape, layers: Iterable[Layer]) -> Iterator[Row]:
    """Each layer with its output shape and costs, from an input of `shape`."""
    for layer in layers:
        after = layer.output(shape)
        yield Row(layer, after, layer.parameters(shape), layer.macs(shape))
        shape = after


def count(shape: Shape, layers: Iterable[Layer]) -> Totals:
    """The totals of `layers` for an input of `shape`; ArchitectureError where a layer cannot take what it gets.

    The receptive field follows Araujo et al., "Computing receptive fields of convolutional neural networks" (Distill,
    2019): each window adds its side less one times the distance, in image pixels, between neighbouring inputs.
    """
    parameters = macs = 0
    field = step = 1
    peak = before = prod(shape)
    for layer in layers:
        parameters += layer.parameters(shape)
        macs += layer.macs(shape)
        shape = layer.output(shape)
        size = prod(shape)
        peak = max(peak, size if layer.in_place else before + size)
        side, stride = layer.window
        field += (side - 1) * step
        step *= stride
        before = size
    return Totals(parameters, macs, peak, field)
