"""Muon and Adam for all parameters of a network at once, by tensors alone: a step reads and leaves no number in Python.

Learning rates are tensors too, so that a step can be captured as a CUDA graph. Where launching a kernel costs more than
what it computes, one product of all matrices takes the time of one of a single matrix.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from workers.muon import orthogonal

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8
"""Adam's, as torch has them."""


class StackedMuon:
    """workers.muon.Muon with every weight as a matrix of one stack, padded with zeros, which change nothing."""

    def __init__(self, weights: Sequence[nn.Parameter], momentum: float) -> None:
        self._weights: list[Tensor] = list(weights)
        self._decay = momentum
        device = weights[0].device
        shapes = [tuple(_rows(weight, weight).shape) for weight in weights]
        height, width = max(min(shape) for shape in shapes), max(max(shape) for shape in shapes)
        self._momentum = torch.zeros(len(shapes), height, width, device=device)
        self._padding = torch.zeros(1, device=device)
        """What the stack's cells that belong to no weight are filled from."""
        self._from_gradients, self._to_weights = _places(shapes, height, width, device)
        tall = [max(1.0, rows / columns) ** 0.5 for rows, columns in shapes]
        self._reach = -torch.tensor(tall, device=device).view(-1, 1, 1)

    def reset(self) -> None:
        """Forget all gradients."""
        self._momentum.zero_()

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate: Tensor) -> None:
        """One step from a gradient of each weight, by a learning rate of no axes."""
        rows = [_rows(gradient, weight).flatten() for gradient, weight in zip(gradients, self._weights, strict=True)]
        stack = torch.cat([*rows, self._padding]).index_select(0, self._from_gradients).view_as(self._momentum)
        self._momentum.mul_(self._decay).add_(stack)
        steps = orthogonal(stack.add(self._momentum, alpha=self._decay)) * (self._reach * rate)
        row = steps.flatten().index_select(0, self._to_weights)
        parts = torch.split(row, [weight.numel() for weight in self._weights])
        taken: list[Tensor] = [_like(part, weight) for part, weight in zip(parts, self._weights, strict=True)]
        torch._foreach_add_(self._weights, taken)


def _is_last(weight: Tensor) -> bool:
    return weight.ndim == 4 and weight.is_contiguous(memory_format=torch.channels_last)


def _rows(tensor: Tensor, weight: Tensor) -> Tensor:
    """The matrix of a weight, or of what is like it, with its columns in the order of the weight's memory."""
    return (tensor.permute(0, 2, 3, 1) if _is_last(weight) else tensor).flatten(1)


def _like(part: Tensor, weight: Tensor) -> Tensor:
    """A row of numbers in the order of a weight's memory, as a tensor like the weight."""
    if _is_last(weight):
        filters, channels, height, width = weight.shape
        return part.view(filters, height, width, channels).permute(0, 3, 1, 2)
    return part.view_as(weight)


def _places(shapes: Sequence[tuple[int, ...]], height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where each cell of the stack comes from in a row of all weights, or one place after it; and the way back.

    Tall matrices lie on their sides.
    """
    total = sum(rows * columns for rows, columns in shapes)
    there = torch.full((len(shapes), height, width), total)
    back, begun = [], 0
    for number, (rows, columns) in enumerate(shapes):
        places = torch.arange(begun, begun + rows * columns).view(rows, columns)
        lying = places if rows <= columns else places.T
        there[number, : lying.shape[0], : lying.shape[1]] = lying
        cells = torch.arange(number * height * width, (number + 1) * height * width).view(height, width)
        found = cells[: lying.shape[0], : lying.shape[1]]
        back.append((found if rows <= columns else found.T).flatten())
        begun += rows * columns
    return there.flatten().to(device), torch.cat(back).to(device)


class Adam:
    """torch.optim.Adam by the one kernel that it has for it, for parameters of which there may be none."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self._parameters: list[Tensor] = list(parameters)
        self._means = [torch.zeros_like(parameter).detach() for parameter in parameters]
        self._squares = [torch.zeros_like(parameter).detach() for parameter in parameters]
        self._steps = [torch.zeros((), device=parameter.device) for parameter in parameters[:1]]

    def reset(self) -> None:
        """Forget all gradients."""
        for tensor in (*self._means, *self._squares, *self._steps):
            tensor.zero_()

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate: Tensor) -> None:
        """One step from a gradient of each parameter, by a learning rate of no axes."""
        if not self._parameters:
            return
        self._steps[0].add_(1)
        torch._fused_adam_(
            self._parameters,
            list(gradients),
            self._means,
            self._squares,
            [],
            self._steps * len(self._parameters),
            lr=rate,
            beta1=_BETA1,
            beta2=_BETA2,
            weight_decay=0.0,
            eps=_EPSILON,
            amsgrad=False,
            maximize=False,
        )
