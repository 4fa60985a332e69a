"""One line that people can read and type, such as `1x28x28-8c3pnr-P2-16c3pnr-10c3p-G`.

Groups are joined by `-` (or spaces) and begin with the shape of the image. In a group the first token is a layer with
a size of its own and the rest are attached to it:

    8c3   convolution, 8 filters of 3x3, no padding      n     batch norm
    8c3p  the same, padded to keep the map's size        r     ReLU
    8c4p1 padded by one pixel a side                     d0.1  dropout, rate 0.1
    8c3b  with bias (8c3pb: with padding and bias)       G     global average pool
    dw3   each channel by a kernel of 3x3 of its own     F     flatten
    P2    max pool 2x2                                   10fb  dense layer, 10 features, with bias (10f: without)
"""

from __future__ import annotations

import re

from space.architecture import Architecture
from space.layers import KINDS, ArchitectureError, Layer, Shape, describe

_SHAPE = re.compile(r"(\d+)x(\d+)x(\d+)")


def write(architecture: Architecture) -> str:
    """The one line; `read` gives back an equal Architecture."""
    groups = [describe(architecture.input)]
    for place, layer in enumerate(architecture.layers):
        if layer.leads or place == 0:
            groups.append("")
        groups[-1] += layer.token()
    return "-".join(groups)


def read(line: str) -> Architecture:
    """The Architecture a line describes; ArchitectureError names the part that cannot be read."""
    first, *groups = re.split(r"[\s-]+", line.strip())
    shape = _SHAPE.fullmatch(first)
    if shape is None:
        raise ArchitectureError(f"an architecture begins with its image, as in 1x28x28, but got {first!r}")
    image: Shape = tuple(int(size) for size in shape.groups())
    return Architecture(image, tuple(layer for group in groups for layer in _group(group)))


def _group(group: str) -> list[Layer]:
    layers = []
    at = 0
    while at < len(group):
        layer, at = _token(group, at)
        layers.append(layer)
    return layers


def _token(group: str, at: int) -> tuple[Layer, int]:
    for kind in KINDS:
        match = kind.pattern.match(group, at)
        if match is not None:
            return kind.parse(match), match.end()
    raise ArchitectureError(f"no layer is written {group[at:]!r} (in {group!r})")
