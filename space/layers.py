"""The kinds of layer, one class each: what a layer does to a shape, what it costs, how it is written, what it becomes.

Everything else (totals, tables, notation, the built network) is a fold over these classes, so a new kind of layer
is a new class here and an entry in `KINDS`. Nothing imports torch before `module` is called.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from math import prod
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, ...]
"""One image without its batch axis: (channels, height, width) for feature maps, (features,) once flattened."""


class ArchitectureError(ValueError):
    """A description that no network can be built from."""


@dataclass(frozen=True, slots=True)
class Layer(ABC):
    """A layer without weights. Shapes go in, shapes and costs come out."""

    kind: ClassVar[str]
    """Its name in JSON and in layer tables."""
    pattern: ClassVar[re.Pattern[str]]
    """How it is written in the one-line notation."""
    leads: ClassVar[bool] = True
    """Whether its token starts a new group in the notation (`8c3`) or is attached to the one before it (`n`, `r`)."""
    in_place: ClassVar[bool] = False
    """Whether its output can overwrite its input, so that it needs no activation memory of its own."""

    @abstractmethod
    def output(self, shape: Shape) -> Shape:
        """The shape it makes of `shape`; ArchitectureError where it cannot take that shape."""

    def parameters(self, shape: Shape) -> int:
        """Trainable scalars: weights, biases, batch-norm scale and shift."""
        return 0

    def macs(self, shape: Shape) -> int:
        """Multiply-accumulates for one image; batch norm, activations and pooling count as none."""
        return 0

    @property
    def window(self) -> tuple[int, int]:
        """Side and stride of the square of inputs that one output sees, in pixels of its input."""
        return 1, 1

    @abstractmethod
    def token(self) -> str:
        """How it is written; `pattern` matches it and `parse` reads it back."""

    @classmethod
    @abstractmethod
    def parse(cls, match: re.Match[str]) -> Self:
        """The layer a match of `pattern` describes."""

    @abstractmethod
    def module(self, shape: Shape) -> nn.Module:
        """The PyTorch module for inputs of shape (N, *shape)."""


def _need_map(layer: Layer, shape: Shape) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ArchitectureError(f"{layer.token()} needs a feature map, but gets {describe(shape)}")
    return shape[0], shape[1], shape[2]


def _need_positive(layer: Layer, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ArchitectureError(f"{name} of a {layer.kind} layer must be at least 1, but got {size}")


def describe(shape: Shape) -> str:
    """`16x12x12` for a feature map, `64` for flat features."""
    return "x".join(map(str, shape))


_KERNEL = r"(?P<kernel>\d+)(?P<padded>p(?P<padding>\d+)?)?(?P<bias>b)?"
"""How the square of a convolution is written, with its padding and bias."""


def _check_padding(layer: Conv | DepthwiseConv) -> None:
    if not 0 <= layer.padding < layer.kernel:
        raise ArchitectureError(
            f"padding of a {layer.kernel}x{layer.kernel} convolution must be from 0 to {layer.kernel - 1}, "
            f"but got {layer.padding}"
        )


def _convolved(layer: Conv | DepthwiseConv, shape: Shape) -> tuple[int, int]:
    """Height and width of the maps that a convolution puts out."""
    _, height, width = _need_map(layer, shape)
    grown = 2 * layer.padding - layer.kernel + 1
    if height + grown < 1 or width + grown < 1:
        raise ArchitectureError(
            f"{layer.token()} needs a map of at least {layer.kernel - 2 * layer.padding} pixels a side, "
            f"but gets {describe(shape)}"
        )
    return height + grown, width + grown


def _kernel_token(layer: Conv | DepthwiseConv) -> str:
    same = layer.kernel % 2 == 1 and layer.padding == layer.kernel // 2
    padding = "" if layer.padding == 0 else "p" if same else f"p{layer.padding}"
    return f"{layer.kernel}{padding}{'b' if layer.bias else ''}"


def _parse_kernel(match: re.Match[str], before: str) -> tuple[int, int, bool]:
    """Kernel, padding and bias of a match of _KERNEL that has `before` in front of it."""
    kernel = int(match["kernel"])
    if match["padding"] is not None:
        padding = int(match["padding"])
    else:
        padding = kernel // 2 if match["padded"] else 0
        if padding and kernel % 2 == 0:
            wanted = f"{before}{kernel}p1{match['bias'] or ''}"
            raise ArchitectureError(f"padding of an even kernel must be a number, as in {wanted}")
    return kernel, padding, match["bias"] is not None


@dataclass(frozen=True, slots=True)
class Conv(Layer):
    """Square 2-d convolution, stride 1."""

    kind: ClassVar[str] = "conv"
    pattern: ClassVar[re.Pattern[str]] = re.compile(rf"(?P<filters>\d+)c{_KERNEL}")

    filters: int
    kernel: int
    padding: int = 0
    """Rows and columns of zeros on each side."""
    bias: bool = False

    def __post_init__(self) -> None:
        _need_positive(self, filters=self.filters, kernel=self.kernel)
        _check_padding(self)

    def output(self, shape: Shape) -> Shape:
        return self.filters, *_convolved(self, shape)

    def parameters(self, shape: Shape) -> int:
        return self.filters * (shape[0] * self.kernel * self.kernel + self.bias)

    def macs(self, shape: Shape) -> int:
        return prod(self.output(shape)) * shape[0] * self.kernel * self.kernel

    @property
    def window(self) -> tuple[int, int]:
        return self.kernel, 1

    def token(self) -> str:
        return f"{self.filters}c{_kernel_token(self)}"

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        return cls(int(match["filters"]), *_parse_kernel(match, f"{match['filters']}c"))

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Conv2d(shape[0], self.filters, self.kernel, padding=self.padding, bias=self.bias)


@dataclass(frozen=True, slots=True)
class DepthwiseConv(Layer):
    """Square 2-d convolution of each channel on its own, stride 1.

    With a 1x1 convolution after it, a separable convolution (Chollet, "Xception", 2017): a kernel for each channel and
    a weight for each pair of channels, where a convolution has a kernel for each pair.
    """

    kind: ClassVar[str] = "depthwise_conv"
    pattern: ClassVar[re.Pattern[str]] = re.compile(rf"dw{_KERNEL}")

    kernel: int
    padding: int = 0
    """Rows and columns of zeros on each side."""
    bias: bool = False

    def __post_init__(self) -> None:
        _need_positive(self, kernel=self.kernel)
        _check_padding(self)

    def output(self, shape: Shape) -> Shape:
        return shape[0], *_convolved(self, shape)

    def parameters(self, shape: Shape) -> int:
        return shape[0] * (self.kernel * self.kernel + self.bias)

    def macs(self, shape: Shape) -> int:
        return prod(self.output(shape)) * self.kernel * self.kernel

    @property
    def window(self) -> tuple[int, int]:
        return self.kernel, 1

    def token(self) -> str:
        return f"dw{_kernel_token(self)}"

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        return cls(*_parse_kernel(match, "dw"))

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        channels = shape[0]
        return nn.Conv2d(channels, channels, self.kernel, padding=self.padding, groups=channels, bias=self.bias)


@dataclass(frozen=True, slots=True)
class BatchNorm(Layer):
    """Batch normalisation with a trainable scale and shift a channel; its running statistics are no parameters."""

    kind: ClassVar[str] = "batch_norm"
    pattern: ClassVar[re.Pattern[str]] = re.compile("n")
    leads: ClassVar[bool] = False
    in_place: ClassVar[bool] = True

    def output(self, shape: Shape) -> Shape:
        return shape

    def parameters(self, shape: Shape) -> int:
        return 2 * shape[0]

    def token(self) -> str:
        return "n"

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        return cls()

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.BatchNorm2d(shape[0]) if len(shape) == 3 else nn.BatchNorm1d(shape[0])


@dataclass(frozen=True, slots=True)
class ReLU(Layer):
    """max(x, 0)."""

    kind: ClassVar[str] = "relu"
    pattern: ClassVar[re.Pattern[str]] = re.compile("r")
    leads: ClassVar[bool] = False
    in_place: ClassVar[bool] = True

    def output(self, shape: Shape) -> Shape:
        return shape

    def token(self) -> str:
        return "r"

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        return cls()

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.ReLU()


@dataclass(frozen=True, slots=True)
class Dropout(Layer):
    """Zeroes single activations with probability `rate` while training."""

    kind: ClassVar[str] = "dropout"
    pattern: ClassVar[re.Pattern[str]] = re.compile(r"d(?P<rate>\d*\.?\d+)")
    leads: ClassVar[bool] = False
    in_place: ClassVar[bool] = True

    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ArchitectureError(f"dropout rate must be at least 0 and below 1, but got {self.rate}")

    def output(self, shape: Shape) -> Shape:
        return shape

    def token(self) -> str:
        return f"d{Decimal(repr(self.rate)):f}"

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        return cls(float(match["rate"]))

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Dropout(self.rate)


@dataclass(frozen=True, slots=True)
class MaxPool(Layer):
    """The largest of each `size` x `size` square; rows and columns left over at the edge are dropped."""

    kind: ClassVar[str] = "max_pool"
    pattern: ClassVar[re.Pattern[str]] = re.compile(r"P(?P<size>\d+)")

    size: int

    def __post_init__(self) -> None:
        _need_positive(self, size=self.size)

    def output(self, shape: Shape) -> Shape:
        channels, height, width = _need_map(self, shape)
        if min(height, width) < self.size:
            raise ArchitectureError(
                f"{self.token()} needs a map of at least {self.size} pixels a side, but gets {describe(shape)}"
            )
        return channels, height // self.size, width // self.size

    @property
    def window(self) -> tuple[int, int]:
        return self.size, self.size

    def token(self) -> str:
        return f"P{self.size}"

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        return cls(int(match["size"]))

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.MaxPool2d(self.size)


@dataclass(frozen=True, slots=True)
class GlobalAveragePool(Layer):
    """The mean of each channel."""

    kind: ClassVar[str] = "global_average_pool"
    pattern: ClassVar[re.Pattern[str]] = re.compile("G")

    def output(self, shape: Shape) -> Shape:
        return _need_map(self, shape)[:1]

    def token(self) -> str:
        return "G"

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        return cls()

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


@dataclass(frozen=True, slots=True)
class Flatten(Layer):
    """A feature map as one row of features, channel by channel."""

    kind: ClassVar[str] = "flatten"
    pattern: ClassVar[re.Pattern[str]] = re.compile("F")
    in_place: ClassVar[bool] = True

    def output(self, shape: Shape) -> Shape:
        return (prod(_need_map(self, shape)),)

    def token(self) -> str:
        return "F"

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        return cls()

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Flatten()


@dataclass(frozen=True, slots=True)
class Linear(Layer):
    """Dense layer on flat features."""

    kind: ClassVar[str] = "linear"
    pattern: ClassVar[re.Pattern[str]] = re.compile(r"(?P<features>\d+)f(?P<bias>b)?")

    features: int
    """Features it puts out."""
    bias: bool = True

    def __post_init__(self) -> None:
        _need_positive(self, features=self.features)

    def output(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise ArchitectureError(
                f"{self.token()} needs flat features (F or G before it), but gets {describe(shape)}"
            )
        return (self.features,)

    def parameters(self, shape: Shape) -> int:
        return self.features * (shape[0] + self.bias)

    def macs(self, shape: Shape) -> int:
        return self.features * shape[0]

    def token(self) -> str:
        return f"{self.features}f{'b' if self.bias else ''}"

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        return cls(int(match["features"]), match["bias"] is not None)

    def module(self, shape: Shape) -> nn.Module:
        from torch import nn

        return nn.Linear(shape[0], self.features, bias=self.bias)


KINDS: tuple[type[Layer], ...] = (
    Conv,
    DepthwiseConv,
    BatchNorm,
    ReLU,
    Dropout,
    MaxPool,
    GlobalAveragePool,
    Flatten,
    Linear,
)
