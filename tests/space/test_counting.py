from __future__ import annotations

from itertools import takewhile

import pytest
import torch
from hypothesis import assume, given, settings
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from space.architecture import Architecture
from space.building import build
from space.counting import count
from space.layers import Flatten, GlobalAveragePool, Layer
from space.notation import read
from tests.space.strategies import PROPERTY, architectures

IN_PLACE = (nn.BatchNorm1d, nn.BatchNorm2d, nn.ReLU, nn.Dropout, nn.Flatten)
"""Modules whose output can overwrite their input."""


def one_image(architecture: Architecture) -> Tensor:
    return torch.zeros(1, *architecture.input)


@settings(PROPERTY, max_examples=100)
@given(architectures())
def test_parameters_are_those_of_the_built_network(architecture: Architecture) -> None:
    network = build(architecture)

    assert architecture.totals.parameters == sum(weights.numel() for weights in network.parameters())
    for row, module in zip(architecture.rows(), network, strict=True):
        assert row.parameters == sum(weights.numel() for weights in module.parameters())


@settings(PROPERTY, max_examples=60)
@given(architectures())
def test_macs_are_half_the_flops_of_one_image(architecture: Architecture) -> None:
    network = build(architecture).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(one_image(architecture))

    assert 2 * architecture.totals.macs == counter.get_total_flops()
    assert architecture.totals.macs == sum(row.macs for row in architecture.rows())


@settings(PROPERTY, max_examples=60)
@given(architectures())
def test_rows_have_the_shapes_of_a_forward_pass(architecture: Architecture) -> None:
    activations = torch.zeros(2, *architecture.input)
    for row, module in zip(architecture.rows(), build(architecture).eval(), strict=True):
        activations = module(activations)
        assert activations.shape == (2, *row.shape)


@settings(PROPERTY, max_examples=60)
@given(architectures())
def test_peak_activations_are_what_hooks_measure(architecture: Architecture) -> None:
    alive = [one_image(architecture).numel()]

    def measure(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        alive.append(output.numel() if isinstance(module, IN_PLACE) else inputs[0].numel() + output.numel())

    network = build(architecture).eval()
    for module in network:
        module.register_forward_hook(measure)
    network(one_image(architecture))

    assert architecture.totals.peak_activations == max(alive)
    assert architecture.totals.peak_activation_bytes == 4 * max(alive)


def maps_of(architecture: Architecture) -> list[Layer]:
    """The layers before the global pooling or flattening."""
    ends = (GlobalAveragePool, Flatten)
    return list(takewhile(lambda layer: not isinstance(layer, ends), architecture.layers))


@torch.no_grad()
def rows_and_columns_seen(architecture: Architecture, side: int) -> tuple[int, int]:
    """How many rows and columns of a square image change the value at the centre of the last feature map."""
    layers = maps_of(architecture)
    network = build(Architecture((architecture.input[0], side, side), (*layers, Flatten()))).eval()[: len(layers)]
    for module in network.modules():
        if isinstance(module, nn.Conv2d):  # positive weights: what was seen cannot cancel out
            nn.init.ones_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    lines = torch.eye(side)[:, None, :, None].expand(side, architecture.input[0], side, side)
    rows, columns = (network(images) for images in (lines, lines.transpose(2, 3)))
    centre = rows.shape[-1] // 2
    return (
        int(rows[:, 0, centre, centre].count_nonzero()),
        int(columns[:, 0, centre, centre].count_nonzero()),
    )


@settings(PROPERTY, max_examples=40)
@given(architectures())
def test_the_receptive_field_is_what_changes_the_output(architecture: Architecture) -> None:
    field = architecture.totals.receptive_field
    step = 1
    for layer in maps_of(architecture):
        step *= layer.window[1]
    side = field + 6 * step  # large enough that the centre sees no border
    assume(side <= 64)

    assert rows_and_columns_seen(architecture, side) == (field, field)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("1x28x28-F", 1),
        ("1x28x28-8c5-G", 5),
        ("1x28x28-8c3pnr-8c3pnr-G", 5),
        ("1x28x28-8c3-P2-8c3-G", 8),
        ("1x28x28-8c3-P2-P2-8c2-F-10fb", 10),
        ("1x28x28-4c3brn-8c3brn-P2-16c3brn-16c3brn-10c3brn-G", 18),
        ("1x28x28-10c3nr-12c3nr-16c3nr-P2-10c1nr-12c3nr-16c3nr-10c1nr-10c7n-F", 28),
    ],
)
def test_receptive_fields_counted_by_hand(line: str, field: int) -> None:
    assert read(line).totals.receptive_field == field


@pytest.mark.parametrize(
    ("line", "peak"),
    [
        ("1x28x28-F-10f", 784 + 10),
        ("1x28x28-n-P2-F", 784 + 196),
        ("1x28x28-8c3pnr-16c3pnr-G", 8 * 784 + 16 * 784),
        ("1x28x28-2c3-P2-4c3-G", 784 + 2 * 26 * 26),
        ("4x6x6-2c1-G", 4 * 36 + 2 * 36),
    ],
)
def test_peak_activations_counted_by_hand(line: str, peak: int) -> None:
    assert read(line).totals.peak_activations == peak


def test_no_layers_cost_nothing_but_the_image() -> None:
    totals = count((3, 5, 4), [])

    assert totals == (0, 0, 60, 1)
