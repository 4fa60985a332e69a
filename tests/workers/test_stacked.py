"""All parameters at once against torch's way, one by one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from workers.muon import Muon
from workers.stacked import Adam, StackedMuon

SHAPES = [(8, 1, 3, 3), (12, 8, 3, 3), (20, 3, 1, 1), (5, 4, 2, 2), (10, 64), (40, 6), (1, 7)]
"""Wide, tall and single rows; convolutions and dense layers."""


def drawn(shapes: list[tuple[int, ...]], layout: torch.memory_format, seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    tensors = [torch.randn(shape, generator=generator) for shape in shapes]
    return [one.contiguous(memory_format=layout) if one.ndim == 4 else one for one in tensors]


def like(tensors: list[Tensor]) -> list[nn.Parameter]:
    return [nn.Parameter(tensor.clone()) for tensor in tensors]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("of_gradients", [torch.contiguous_format, torch.channels_last])
def test_a_stack_takes_muons_steps(layout: torch.memory_format, of_gradients: torch.memory_format) -> None:
    start = drawn(SHAPES, layout, 0)
    expected, found = like(start), like(start)
    muon, stacked = Muon(expected, lr=0.1, momentum=0.9), StackedMuon(found, 0.9)
    for seed in (1, 2, 3):
        gradients = drawn(SHAPES, of_gradients, seed)
        for weight, gradient in zip(expected, gradients, strict=True):
            weight.grad = gradient.clone()
        muon.step()
        stacked.step(gradients, torch.tensor(0.1))
    for one, other, before in zip(expected, found, start, strict=True):
        assert (one - before).abs().max() > 0.01
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)
        assert other.stride() == before.stride()


def test_muon_begins_again_after_a_reset() -> None:
    (weight,), (gradient,) = like([torch.zeros(4, 9)]), drawn([(4, 9)], torch.contiguous_format, 1)
    stacked = StackedMuon([weight], 0.9)
    stacked.step([gradient], torch.tensor(0.1))
    first = weight.detach().clone()
    stacked.reset()
    stacked.step([gradient], torch.tensor(0.1))
    torch.testing.assert_close(weight.detach(), 2 * first)


def test_adam_is_torchs() -> None:
    start = drawn([(3,), (70,)], torch.contiguous_format, 0)
    expected, found = like(start), like(start)
    theirs, ours = torch.optim.Adam(expected, lr=0.02), Adam(found)
    for seed in (1, 2, 3):
        gradients = drawn([(3,), (70,)], torch.contiguous_format, seed)
        for parameter, gradient in zip(expected, gradients, strict=True):
            parameter.grad = gradient.clone()
        theirs.step()
        ours.step(gradients, torch.tensor(0.02))
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(other, one)


def test_adam_begins_again_after_a_reset() -> None:
    (parameter,) = like([torch.zeros(3)])
    adam = Adam([parameter])
    adam.step([torch.ones(3)], torch.tensor(0.1))
    first = parameter.detach().clone()
    adam.reset()
    adam.step([torch.ones(3)], torch.tensor(0.1))
    torch.testing.assert_close(parameter.detach(), 2 * first)


def test_there_may_be_nothing_for_adam() -> None:
    Adam([]).step([], torch.tensor(0.1))
