"""Compiled loops against PyTorch's own layers, which are the reference for values, gradients and statistics."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from workers.fused import Forward, forward_of, fused
from workers.kernels import Kernels


def maps(*shape: int, kind: torch.dtype = torch.float32, seed: int = 0, offset: float = 0.0) -> Tensor:
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) + offset
    return drawn.to(kind).contiguous(memory_format=torch.channels_last)


def randomised(network: nn.Sequential) -> nn.Sequential:
    """With scales and shifts of both signs."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return network


def run(forward: Forward, network: nn.Sequential, inputs: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The output, and the gradients of inputs and parameters for a gradient that differs everywhere."""
    inputs = inputs.clone(memory_format=torch.preserve_format).requires_grad_()
    out = forward(inputs)
    torch.autograd.backward(out, maps(*out.shape, kind=out.dtype, seed=2))
    assert inputs.grad is not None
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    return out.detach(), [inputs.grad, *gradients]


def assert_alike(network: nn.Sequential, inputs: Tensor, kernels: Kernels, tolerance: float) -> None:
    mine = deepcopy(network)
    (expected, gradients), (found, ours) = (
        run(network, network, inputs),
        run(fused(mine, kernels), mine, inputs),
    )
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)
    for gradient, our in zip(gradients, ours, strict=True):
        reach = float(gradient.abs().max()) + 1e-6
        torch.testing.assert_close(our, gradient, rtol=tolerance, atol=tolerance * reach)
    for name, value in network.named_buffers():
        torch.testing.assert_close(dict(mine.named_buffers())[name], value, rtol=1e-4, atol=1e-5)


@given(
    images=st.integers(1, 5),
    channels=st.integers(1, 40),
    height=st.integers(2, 9),
    width=st.integers(2, 9),
    relu=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_norms_are_pytorchs(kernels: Kernels, images: int, channels: int, height: int, width: int, relu: bool) -> None:
    network = randomised(nn.Sequential(nn.BatchNorm2d(channels), *([nn.ReLU()] if relu else [])))
    inputs = maps(images, channels, height, width, offset=3.0)
    assert_alike(network, inputs, kernels, 2e-4)


@given(
    images=st.integers(1, 5),
    channels=st.integers(1, 40),
    height=st.integers(2, 9),
    width=st.integers(2, 9),
    levels=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_pools_are_pytorchs_for_equals_too(
    kernels: Kernels, images: int, channels: int, height: int, width: int, levels: int
) -> None:
    inputs = maps(images, channels, height, width).mul(levels).round()
    assert_alike(nn.Sequential(nn.MaxPool2d(2)), inputs, kernels, 0.0)


def test_a_large_mean_costs_no_digits(kernels: Kernels) -> None:
    inputs = maps(64, 3, 14, 14, offset=1000.0)
    exact = nn.BatchNorm2d(3).double()(inputs.double()).float()
    torch.testing.assert_close(fused(nn.Sequential(nn.BatchNorm2d(3)), kernels)(inputs), exact, rtol=1e-3, atol=2e-4)


def test_bfloat16_differs_by_rounding(kernels: Kernels) -> None:
    network = randomised(nn.Sequential(nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2)))
    assert_alike(network, maps(8, 12, 14, 14, kind=torch.bfloat16), kernels, 2e-2)


def test_a_network_trains_as_pytorchs(kernels: Kernels) -> None:
    torch.manual_seed(3)
    network = nn.Sequential(
        nn.Conv2d(1, 6, 3, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 7, 3, bias=False),
        nn.ReLU(),
        nn.BatchNorm2d(7),
        nn.MaxPool2d(3),
        nn.Conv2d(7, 4, 1),
    ).to(memory_format=torch.channels_last)
    assert_alike(network, maps(16, 1, 12, 12), kernels, 1e-4)


@pytest.mark.parametrize("layer", [nn.BatchNorm2d(2), nn.MaxPool2d(2)])
def test_what_is_no_number_stays_one(kernels: Kernels, layer: nn.Module) -> None:
    inputs = maps(2, 2, 4, 4)
    inputs[0, 0, 1, 1] = torch.nan
    network = nn.Sequential(layer, nn.ReLU())
    assert fused(network, kernels)(inputs)[0, 0].isnan().any()


def test_maps_in_another_order_are_taken_too(kernels: Kernels) -> None:
    network = nn.Sequential(nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(2))
    inputs = maps(3, 5, 6, 6)
    torch.testing.assert_close(fused(network, kernels)(inputs.contiguous()), fused(network, kernels)(inputs))


def test_other_layers_are_left_to_pytorch(kernels: Kernels) -> None:
    network = nn.Sequential(nn.MaxPool2d(2, stride=1), nn.MaxPool2d(3), nn.BatchNorm2d(600), nn.Dropout(0.0))
    inputs = maps(2, 600, 7, 7)
    torch.testing.assert_close(fused(network, kernels)(inputs), deepcopy(network)(inputs))


def test_without_loops_it_is_the_network_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Sequential(nn.ReLU())
    assert forward_of(network, loops=False) is network
    monkeypatch.setattr("workers.fused.load", lambda: None)
    assert forward_of(network, loops=True) is network
