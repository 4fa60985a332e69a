"""Muon: momentum whose matrices are made orthogonal before they are taken as steps.

Method: Keller Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024); the coefficients of the
quintic Newton-Schulz iteration are theirs. Convolution kernels (filters, channels, k, k) are taken as matrices
(filters, channels * k * k).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from workers.kernels import Kernels

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 3
"""Enough to bring the singular values near 1; their exact size matters less than their evenness."""
SMALLEST_NORM = 1e-7


class Muon(torch.optim.Optimizer):
    """For weights of two axes or more; biases and batch-norm parameters need another optimiser.

    `lr` is the spectral norm of a step, about; `momentum` is Nesterov's. With `kernels` weights on the CPU are taken by
    a compiled loop, which differs by rounding.
    """

    def __init__(
        self, params: Iterable[nn.Parameter], *, lr: float, momentum: float, kernels: Kernels | None = None
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})
        self._kernels = kernels

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step from the gradients as they stand; no closure is evaluated."""
        for group in self.param_groups:
            for weight in group["params"]:
                gradient = weight.grad
                momentum = self.state[weight].setdefault("momentum", torch.zeros_like(gradient))
                if self._kernels is not None and weight.stride() == gradient.stride() == momentum.stride():
                    self._compiled_step(self._kernels, weight, gradient, momentum, group)
                    continue
                momentum.mul_(group["momentum"]).add_(gradient)
                ahead = gradient.add(momentum, alpha=group["momentum"])
                rows = ahead.reshape(len(ahead), -1)
                tall = max(1.0, rows.shape[0] / rows.shape[1]) ** 0.5
                weight.add_(orthogonal(rows).view_as(ahead), alpha=-group["lr"] * tall)

    def _compiled_step(
        self, kernels: Kernels, weight: Tensor, gradient: Tensor, momentum: Tensor, group: dict[str, Any]
    ) -> None:
        """The same on the memory as it lies: an order of columns changes nothing but the order of columns."""
        filters, length = len(weight), weight.numel() // len(weight)
        scratch = torch.empty(2 * weight.numel() + 2 * min(filters, length) ** 2)
        constants = (group["momentum"], group["lr"], ITERATIONS, *COEFFICIENTS, SMALLEST_NORM)
        kernels.call("muon_step", torch.float32, filters, length, weight, gradient, momentum, *constants, scratch)


def orthogonal(matrices: Tensor) -> Tensor:
    """Matrices (..., rows, columns) with the singular vectors of `matrices` and singular values near 1."""
    a, b, c = COEFFICIENTS
    wide = matrices.shape[-2] <= matrices.shape[-1]
    x: Tensor = matrices if wide else matrices.mT
    x = x / (torch.linalg.matrix_norm(x, keepdim=True) + SMALLEST_NORM)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide else x.mT
