"""Whole training steps of a network by engine.c, in float32 on one core, for networks of the layers that it knows."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from workers import muon
from workers.kernels import Kernels

OptimiserName = Literal["muon", "adam", "sgd"]
_OPTIMISERS: tuple[OptimiserName, ...] = ("muon", "adam", "sgd")
_CONV, _NORM, _RELU, _DROPOUT, _POOL, _MEAN, _FLAT = range(7)
_Pointer, _Int, _Long, _Float = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64, ctypes.c_float


class _Layer(ctypes.Structure):
    """As engine.c declares it."""

    _fields_ = (
        ("kind", _Int),
        ("channels", _Int),
        ("height", _Int),
        ("width", _Int),
        ("filters", _Int),
        ("kernel", _Int),
        ("padding", _Int),
        ("groups", _Int),
        ("bias", _Int),
        ("relu", _Int),
        ("rate", _Float),
        ("eps", _Float),
        ("momentum", _Float),
        ("first", _Long),
        ("running", _Long),
    )


class _Parameter(ctypes.Structure):
    """As engine.c declares it."""

    _fields_ = (("kind", _Int), ("matrix", _Int), ("rows", _Int), ("first", _Long), ("count", _Long))


class _Rule(ctypes.Structure):
    """As engine.c declares it."""

    _fields_ = (
        ("momentum", _Float),
        ("decay", _Float),
        ("a", _Float),
        ("b", _Float),
        ("c", _Float),
        ("smallest", _Float),
        ("iterations", _Int),
        ("smoothing", _Float),
    )


class _Images(ctypes.Structure):
    """As engine.c declares it."""

    _fields_ = (("images", _Pointer), ("labels", _Pointer), ("times", _Pointer), ("less", _Pointer))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How an engine's values change."""

    matrices: OptimiserName
    """What takes the weights of convolutions and dense layers."""
    others: OptimiserName
    """What takes biases and batch norms."""
    momentum: float = 0.0
    """Of Muon (Nesterov's) and SGD."""
    decay: float = 0.0
    """Weight decay that is added to the gradients, as a multiple of the values."""
    smoothing: float = 0.0
    """Label smoothing."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What an engine trains on: tensors on the CPU, which must live as long as it does."""

    images: Tensor
    """uint8 (N, C, H, W)."""
    labels: Tensor
    """int64 (N,)."""
    scale: Tensor
    """C floats: what makes a byte a multiple of its channel's deviation."""
    shift: Tensor
    """C floats: mean over deviation of each channel."""


class _Reading:
    """A network's layers in engine.c's words, one after the other."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.shape = shape
        """(channels, height, width) of what the next layer takes in."""
        self.layers: list[_Layer] = []
        self.parameters = 0
        self.running = 0

    def add(self, module: nn.Module) -> bool:
        """False for a layer that engine.c does not know."""
        match module:
            case nn.Conv2d(kernel_size=(k, other), padding=(p, _), bias=bias) if k == other:
                self._conv(module.out_channels, k, int(p), bias=bias is not None, groups=module.groups)
            case nn.Linear(out_features=features, bias=bias):
                self._conv(features, 1, 0, bias=bias is not None)
            case nn.BatchNorm2d() | nn.BatchNorm1d():
                self._norm(module)
            case nn.ReLU():
                self._relu()
            case nn.Dropout(p=rate):
                self._layer(_DROPOUT, rate=rate)
            case nn.MaxPool2d(kernel_size=2, stride=2, padding=0):
                channels, height, width = self.shape
                self._layer(_POOL)
                self.shape = (channels, height // 2, width // 2)
            case nn.Flatten():
                self._flat()
            case nn.Sequential() if isinstance(module[0], nn.AdaptiveAvgPool2d):
                self._layer(_MEAN)
                self.shape = (self.shape[0], 1, 1)
            case _:
                return False
        return True

    def _layer(self, kind: int, **fields: float) -> None:
        channels, height, width = self.shape
        self.layers.append(_Layer(kind=kind, channels=channels, height=height, width=width, **fields))

    def _conv(self, filters: int, kernel: int, padding: int, *, bias: bool, groups: int = 1) -> None:
        if padding == 0 and kernel > 1 and groups == 1 and self.shape[1:] == (kernel, kernel):
            self._flat()  # one place: a dense layer has the same weights in the same order, and a quicker gradient
            kernel = 1
        channels, height, width = self.shape
        self._layer(
            _CONV, filters=filters, kernel=kernel, padding=padding, groups=groups, bias=bias, first=self.parameters
        )
        self.parameters += filters * (channels // groups * kernel * kernel + bias)
        grown = 2 * padding - kernel + 1
        self.shape = (filters, height + grown, width + grown)

    def _norm(self, norm: nn.BatchNorm2d | nn.BatchNorm1d) -> None:
        assert norm.momentum is not None
        self._layer(_NORM, eps=norm.eps, momentum=norm.momentum, first=self.parameters, running=self.running)
        self.parameters += 2 * norm.num_features
        self.running += 2 * norm.num_features

    def _relu(self) -> None:
        match self.layers[-1:]:
            case [_Layer(kind=kind, groups=groups, relu=0) as before] if kind == _NORM or (kind, groups) == (_CONV, 1):
                before.relu = 1
            case _:
                self._layer(_RELU)

    def _flat(self) -> None:
        channels, height, width = self.shape
        self._layer(_FLAT)
        self.shape = (channels * height * width, 1, 1)


def _read(network: nn.Sequential, shape: tuple[int, int, int]) -> _Reading | None:
    reading = _Reading(shape)
    return reading if all(map(reading.add, network)) else None


class Engine:
    """A network's weights, and what its training needs besides, in engine.c's hands."""

    def __init__(
        self,
        kernels: Kernels,
        network: nn.Sequential,
        pictures: Pictures,
        rule: Rule,
        *,
        batch: int,
        seed: int = 0,
        masks: Mapping[str, Tensor] | None = None,
    ) -> None:
        """For batches of at most `batch` images. `masks`, by names of parameters, hold these at zero where they are 0.

        ValueError for a network of layers that engine.c does not know, MemoryError for want of memory.
        """
        reading = _read(network, _shape(pictures.images))
        if reading is None:
            raise ValueError(f"the engine knows no layer like one of {network}")
        self._library = kernels.library
        self._network = network
        self._pictures = pictures
        self._rule = rule
        self._batch = batch
        self._values = _joined(network.parameters())
        self._running = _joined(_statistics(network))
        self._mask = _mask(network, masks) if masks else None
        self._steps = 0
        self._classes = reading.shape[0]
        self._images, self._kept = _images(pictures)
        self._program = self._new(reading, seed)
        if self._mask is not None:
            self._values.mul_(self._mask)

    def _new(self, reading: _Reading, seed: int) -> ctypes.c_void_p:
        layers = (_Layer * len(reading.layers))(*reading.layers)
        found = [*_parameters(self._network, self._rule)]
        create = self._library.engine_new
        create.restype = _Pointer
        program = create(
            layers,
            len(layers),
            (_Parameter * len(found))(*found),
            len(found),
            self._batch,
            _at(self._values),
            _at(self._running),
            None if self._mask is None else _at(self._mask),
            ctypes.c_uint64(seed),
        )
        if program is None:
            raise MemoryError("there is no memory for the network's feature maps")
        return _Pointer(program)

    def __del__(self) -> None:
        if hasattr(self, "_program"):
            self._library.engine_free(self._program)

    def train(self, places: Tensor, batch: int, affine: Tensor | None, rates: Tensor) -> Tensor:
        """A step for each `batch` of `places` (int64); the loss of each.

        `affine` is float (len(places), 6) or None for images as they are, `rates` float (steps, 2): the learning rates
        of convolutions and dense layers, and of all other parameters.
        """
        steps = len(rates)
        assert len(places) == steps * batch
        assert batch <= self._batch
        losses = torch.empty(steps)
        rule = _rule(self._rule)
        maps = None if affine is None else affine.contiguous()
        places, rates = places.contiguous(), rates.contiguous()
        self._library.engine_train(
            self._program,
            ctypes.byref(self._images),
            _at(places),
            _Long(steps),
            batch,
            None if maps is None else _at(maps),
            _at(rates),
            ctypes.byref(rule),
            _at(losses),
        )
        self._steps += steps
        return losses

    def logits(self, places: Tensor) -> Tensor:
        """float (N, classes) for the images at `places` (int64), as they are, by running statistics."""
        found = torch.empty(len(places), self._classes)
        for first in range(0, len(places), self._batch):
            some, part = places[first : first + self._batch].contiguous(), found[first : first + self._batch]
            images = ctypes.byref(self._images)
            self._library.engine_predict(self._program, images, _at(some), len(some), _at(part))
        return found

    def gradients(self, places: Tensor) -> tuple[float, Tensor]:
        """The loss of the batch at `places`, as they are, and its gradient by all parameters in their order."""
        found = torch.empty_like(self._values)
        loss = self._library.engine_gradients
        loss.restype = _Float
        images, smoothing = ctypes.byref(self._images), _Float(self._rule.smoothing)
        return loss(self._program, images, _at(places), len(places), smoothing, _at(found)), found

    @torch.no_grad()
    def store(self) -> None:
        """Put the weights and running statistics into the network."""
        _part(self._values, self._network.parameters())
        _part(self._running, _statistics(self._network))
        for module in _norms(self._network):
            assert module.num_batches_tracked is not None
            module.num_batches_tracked.add_(self._steps)
        self._steps = 0


def knows(network: nn.Sequential, images: Tensor) -> bool:
    """Whether there can be an engine for `network`, for images like `images` (N, C, H, W)."""
    return _read(network, _shape(images)) is not None


def _shape(images: Tensor) -> tuple[int, int, int]:
    return (images.shape[1], images.shape[2], images.shape[3])


def _norms(network: nn.Sequential) -> Iterator[nn.BatchNorm2d | nn.BatchNorm1d]:
    return (module for module in network if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d))


def _statistics(network: nn.Sequential) -> Iterator[Tensor]:
    """Running means and variances in the order of the layers."""
    for norm in _norms(network):
        assert norm.running_mean is not None
        assert norm.running_var is not None
        yield from (norm.running_mean, norm.running_var)


def _joined(tensors: Iterator[Tensor] | Iterator[nn.Parameter]) -> Tensor:
    """One after the other, in a row of their own."""
    rows = [tensor.detach().float().reshape(-1) for tensor in tensors]
    return torch.cat(rows) if rows else torch.zeros(1)


def _part(row: Tensor, tensors: Iterator[Tensor] | Iterator[nn.Parameter]) -> None:
    """Give each of `tensors` its part of the row."""
    first = 0
    for tensor in tensors:
        tensor.copy_(row[first : first + tensor.numel()].view(tensor.shape))
        first += tensor.numel()


def _mask(network: nn.Sequential, masks: Mapping[str, Tensor]) -> Tensor:
    return _joined(iter([masks.get(name, torch.ones_like(value)) for name, value in network.named_parameters()]))


def _parameters(network: nn.Sequential, rule: Rule) -> Iterator[_Parameter]:
    first = 0
    for value in network.parameters():
        matrix = value.ndim > 1
        kind = _OPTIMISERS.index(rule.matrices if matrix else rule.others)
        yield _Parameter(kind=kind, matrix=matrix, rows=len(value) if matrix else 1, first=first, count=value.numel())
        first += value.numel()


def _rule(rule: Rule) -> _Rule:
    a, b, c = muon.COEFFICIENTS
    return _Rule(
        momentum=rule.momentum,
        decay=rule.decay,
        a=a,
        b=b,
        c=c,
        smallest=muon.SMALLEST_NORM,
        iterations=muon.ITERATIONS,
        smoothing=rule.smoothing,
    )


def _images(pictures: Pictures) -> tuple[_Images, tuple[Tensor, ...]]:
    """The addresses of images, and what must be kept alive for them."""
    scale, shift = pictures.scale.float().reshape(-1), pictures.shift.float().reshape(-1)
    kept = (pictures.images.contiguous(), pictures.labels.contiguous(), scale.contiguous(), shift.contiguous())
    return _Images(*map(_at, kept)), kept


def _at(tensor: Tensor) -> ctypes.c_void_p:
    assert tensor.is_contiguous()
    return _Pointer(tensor.data_ptr())
