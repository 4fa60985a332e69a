from __future__ import annotations

import pytest
import torch
from torch import nn

from workers.kernels import Kernels
from workers.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 72), (72, 8), (16, 16), (1, 9), (10, 1)])
def test_singular_vectors_stay_and_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    left, values, right = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    even = values / values.max() * 0.5 + 0.5  # no direction is nearly lost
    found = orthogonal(left @ even.diag() @ right)
    mixed = left.T @ found @ right.T

    assert found.shape == shape
    torch.testing.assert_close(mixed, mixed.diag().diag(), atol=1e-4, rtol=0)
    assert mixed.diag().min() > 0.5
    assert mixed.diag().max() < 1.3


def test_the_size_of_a_gradient_does_not_matter() -> None:
    torch.manual_seed(0)
    matrix = torch.randn(4, 9)
    torch.testing.assert_close(orthogonal(matrix), orthogonal(1000 * matrix))


def test_no_gradient_is_no_step() -> None:
    assert orthogonal(torch.zeros(4, 9)).abs().max() == 0


def test_a_step_goes_along_the_momentum_by_the_learning_rate() -> None:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(4, 2, 3, 3))
    first, second = torch.randn(2, 4, 2, 3, 3)
    optimiser = Muon([weight], lr=0.1, momentum=0.9)
    before = weight.detach().clone()
    for gradient in (first, second):
        weight.grad = gradient.clone()
        optimiser.step()
    steps = [first + 0.9 * first, second + 0.9 * (second + 0.9 * first)]
    expected = before - 0.1 * sum(orthogonal(step.view(4, 18)).view(4, 2, 3, 3) for step in steps)
    torch.testing.assert_close(weight.detach(), expected)


def test_tall_matrices_take_longer_steps() -> None:
    tall = nn.Parameter(torch.zeros(16, 4))
    tall.grad = torch.eye(16)[:, :4].clone()
    Muon([tall], lr=0.1, momentum=0.0).step()
    assert torch.linalg.matrix_norm(tall.detach(), 2) == pytest.approx(
        0.1 * 2 * torch.linalg.matrix_norm(orthogonal(torch.eye(16)[:, :4]), 2).item()
    )


@pytest.mark.parametrize("shape", [(4, 2, 3, 3), (20, 3, 1, 1), (5, 5, 1, 1), (1, 1, 3, 3), (10, 64), (32, 32, 3, 3)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_compiled_step_is_the_same(shape: tuple[int, ...], layout: torch.memory_format, kernels: Kernels) -> None:
    torch.manual_seed(0)
    start, *gradients = torch.randn(4, *shape)
    if len(shape) == 4:
        start, *gradients = (one.contiguous(memory_format=layout) for one in (start, *gradients))
    weights = [nn.Parameter(start.clone()) for _ in range(2)]
    optimisers = [Muon([weights[0]], lr=0.1, momentum=0.9), Muon([weights[1]], lr=0.1, momentum=0.9, kernels=kernels)]
    for gradient in gradients:
        for weight, optimiser in zip(weights, optimisers, strict=True):
            weight.grad = gradient.clone()
            optimiser.step()
    plain, compiled = (weight.detach() for weight in weights)
    assert (plain - start).abs().max() > 0.01
    torch.testing.assert_close(compiled, plain, rtol=1e-4, atol=1e-5)


def test_gradients_in_another_order_are_taken_too(kernels: Kernels) -> None:
    torch.manual_seed(0)
    start, gradient = torch.randn(2, 4, 3, 3, 3)
    weights = [nn.Parameter(start.clone()) for _ in range(2)]
    for weight, layout in zip(weights, (torch.contiguous_format, torch.channels_last), strict=True):
        weight.grad = gradient.clone()
        weight.grad = weight.grad.contiguous(memory_format=layout)
        Muon([weight], lr=0.1, momentum=0.9, kernels=kernels).step()
    torch.testing.assert_close(weights[0].detach(), weights[1].detach())
