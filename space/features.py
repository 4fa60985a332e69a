"""What a regression may know of a network: sizes, shape, and where norms, pools and dropout are."""

from __future__ import annotations

from itertools import pairwise
from math import log
from statistics import fmean

from space.architecture import Architecture
from space.layers import BatchNorm, Conv, DepthwiseConv, Dropout, Flatten, Layer, MaxPool, ReLU

FEATURES = (
    "log parameters",
    "log MACs",
    "spatial convolutions",
    "1x1 convolutions",
    "separable convolutions",
    "pools",
    "convolutions before the first pool",
    "log side of the last convolution's map",
    "log receptive field",
    "log filters of the first convolution",
    "log filters of the last hidden convolution",
    "log filters of the narrowest hidden convolution",
    "mean log filters of hidden convolutions",
    "kernel of the first convolution",
    "mean kernel",
    "norms a convolution",
    "ReLUs a convolution",
    "norm before ReLU",
    "norm after ReLU",
    "share of padded convolutions",
    "share of convolutions with a bias",
    "dropout in all",
    "flattened",
)
"""Of each column of `features`; lengths in pixels of the image."""


def features(architecture: Architecture) -> tuple[float, ...]:
    """A number for each of FEATURES."""
    layers, totals = architecture.layers, architecture.totals
    shapes = [architecture.input, *(row.shape for row in architecture.rows())]
    convolutions = [layer for layer in layers if isinstance(layer, Conv)]
    windows = looking(layers)
    count = len(convolutions)
    last_map = next(
        shape for layer, shape in zip(reversed(layers), reversed(shapes[:-1]), strict=True) if isinstance(layer, Conv)
    )
    hidden = [log(layer.filters) for layer in convolutions[:-1] or convolutions]
    return (
        log(totals.parameters),
        log(totals.macs),
        sum(layer.kernel > 1 for layer in windows),
        sum(layer.kernel == 1 for layer in windows),
        _count(layers, DepthwiseConv),
        _count(layers, MaxPool),
        _count(_before_pool(layers), Conv),
        log(last_map[1]),
        log(totals.receptive_field),
        hidden[0],
        hidden[-1],
        min(hidden),
        fmean(hidden),
        windows[0].kernel,
        fmean(layer.kernel for layer in windows),
        _count(layers, BatchNorm) / count,
        _count(layers, ReLU) / count,
        follows(layers, Conv, BatchNorm),
        follows(layers, ReLU, BatchNorm),
        fmean(layer.padding > 0 for layer in windows),
        fmean(layer.bias for layer in convolutions),
        sum(layer.rate for layer in layers if isinstance(layer, Dropout)),
        _count(layers, Flatten) > 0,
    )


def looking(layers: tuple[Layer, ...]) -> list[Conv | DepthwiseConv]:
    """What looks at the map for each convolution: itself, or the depthwise one before it that makes it separable."""
    pairs = zip((None, *layers), layers, strict=False)
    return [
        before if isinstance(before, DepthwiseConv) else layer for before, layer in pairs if isinstance(layer, Conv)
    ]


def _count(layers: tuple[Layer, ...], kind: type[Layer]) -> int:
    return sum(isinstance(layer, kind) for layer in layers)


def _before_pool(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    first = next((place for place, layer in enumerate(layers) if isinstance(layer, MaxPool)), len(layers))
    return layers[:first]


def follows(layers: tuple[Layer, ...], one: type[Layer], other: type[Layer]) -> bool:
    """Whether a layer of the one kind is anywhere followed by one of the other."""
    return any(isinstance(a, one) and isinstance(b, other) for a, b in pairwise(layers))
