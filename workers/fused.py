"""A network's training step with batch norm, ReLU and max pooling taken by compiled loops where those can.

Values differ from PyTorch's own only by rounding: a ReLU after a batch norm is applied before the result is rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from workers.kernels import MOST_CHANNELS, PLACES, Kernels, load

Forward = Callable[[Tensor], Tensor]
"""What a network, or a part of it, makes of a batch."""


def forward_of(network: nn.Sequential, *, loops: bool) -> Forward:
    """What `network` computes in training mode, with our compiled loops if they are wanted and there are any."""
    kernels = load() if loops else None
    return network if kernels is None else fused(network, kernels)


def fused(network: nn.Sequential, kernels: Kernels) -> Forward:
    """What `network` computes in training mode, with its own parameters and running statistics.

    Maps are float (N, C, H, W) on the CPU, in channels-last order.
    """
    steps: list[Forward] = []
    layers = list(network)
    while layers:
        match layers:
            case [nn.BatchNorm2d() as norm, nn.ReLU(), *rest] if norm.num_features <= MOST_CHANNELS:
                steps.append(_Norm(norm, kernels, relu=True))
            case [nn.BatchNorm2d() as norm, *rest] if norm.num_features <= MOST_CHANNELS:
                steps.append(_Norm(norm, kernels, relu=False))
            case [nn.MaxPool2d(kernel_size=2, stride=2, padding=0), *rest]:
                steps.append(lambda maps: _MaxPool.apply(maps, kernels))
            case [layer, *rest]:
                steps.append(layer)
        layers = rest

    def forward(images: Tensor) -> Tensor:
        for step in steps:
            images = step(images)
        return images

    return forward


class _Norm:
    """A batch norm in training mode, and the ReLU after it if there is one."""

    def __init__(self, norm: nn.BatchNorm2d, kernels: Kernels, *, relu: bool) -> None:
        self._norm = norm
        self._kernels = kernels
        self._relu = relu

    def __call__(self, maps: Tensor) -> Tensor:
        norm = self._norm
        taken = (maps, norm.weight, norm.bias, norm.eps, self._relu, self._kernels)
        out, mean, variance = cast(tuple[Tensor, Tensor, Tensor], _BatchNorm.apply(*taken))
        self._track(mean, variance, maps.numel() // maps.shape[1])
        return out

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Running statistics as torch keeps them: the variance unbiased."""
        norm = self._norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        assert norm.num_batches_tracked is not None
        assert norm.momentum is not None
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(variance * (count / (count - 1)), norm.momentum)
        norm.num_batches_tracked.add_(1)


class _BatchNorm(torch.autograd.Function):
    """Over images and pixels; with the biased moments of each channel, which have no gradient."""

    @staticmethod
    def forward(
        ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor, eps: float, relu: bool, kernels: Kernels
    ) -> tuple[Tensor, Tensor, Tensor]:
        maps = maps.contiguous(memory_format=torch.channels_last)
        channels = maps.shape[1]
        pixels = maps.numel() // channels
        out, mean, variance = torch.empty_like(maps), torch.empty_like(weight), torch.empty_like(weight)
        kernels.call(
            "norm_forward", maps.dtype, pixels, channels, maps, weight, bias, eps, int(relu), out, mean, variance
        )
        ctx.save_for_backward(maps, weight, bias, mean, variance)
        ctx.mark_non_differentiable(mean, variance)
        ctx.settings = (pixels, channels, eps, int(relu), kernels)
        return out, mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        maps, weight, bias, mean, variance = ctx.saved_tensors
        pixels, channels, eps, relu, kernels = ctx.settings
        gradient = gradients[0].contiguous(memory_format=torch.channels_last)
        for_maps, for_weight, for_bias = torch.empty_like(maps), torch.empty_like(weight), torch.empty_like(bias)
        sizes = (pixels, channels, maps, gradient, weight, bias, mean, variance, eps, relu)
        kernels.call("norm_backward", maps.dtype, *sizes, for_maps, for_weight, for_bias)
        return for_maps, for_weight, for_bias, None, None, None


class _MaxPool(torch.autograd.Function):
    """Of squares of 2x2 pixels."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, kernels: Kernels) -> Tensor:
        maps = maps.contiguous(memory_format=torch.channels_last)
        images, channels, height, width = maps.shape
        out = _empty(maps, images, channels, height // 2, width // 2)
        which = torch.empty(out.numel(), dtype=PLACES[maps.dtype])
        kernels.call("pool_forward", maps.dtype, images, height, width, channels, maps, out, which)
        ctx.save_for_backward(which)
        ctx.settings = (maps.shape, kernels)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (which,) = ctx.saved_tensors
        (images, channels, height, width), kernels = ctx.settings
        gradient = gradients[0].contiguous(memory_format=torch.channels_last)
        found = _empty(gradient, images, channels, height, width)
        kernels.call("pool_backward", gradient.dtype, images, height, width, channels, gradient, which, found)
        return found, None


def _empty(like: Tensor, *shape: int) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, memory_format=torch.channels_last)
