from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from torch import nn

from space.layers import (
    KINDS,
    ArchitectureError,
    BatchNorm,
    Conv,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
    Linear,
    MaxPool,
    ReLU,
    Shape,
    describe,
)


@pytest.mark.parametrize(
    ("layer", "shape", "output", "parameters", "macs"),
    [
        (Conv(8, 3), (1, 28, 28), (8, 26, 26), 72, 48_672),
        (Conv(8, 3, padding=1), (1, 28, 28), (8, 28, 28), 72, 56_448),
        (Conv(6, 5, padding=2, bias=True), (4, 12, 10), (6, 12, 10), 606, 72_000),
        (Conv(6, 4, padding=1), (4, 12, 10), (6, 11, 9), 384, 38_016),
        (Conv(10, 7), (16, 7, 7), (10, 1, 1), 7_840, 7_840),
        (Conv(10, 1, bias=True), (16, 3, 2), (10, 3, 2), 170, 960),
        (DepthwiseConv(3), (8, 28, 28), (8, 26, 26), 72, 48_672),
        (DepthwiseConv(5, padding=2, bias=True), (4, 12, 10), (4, 12, 10), 104, 12_000),
        (DepthwiseConv(2), (16, 2, 3), (16, 1, 2), 64, 128),
        (BatchNorm(), (4, 12, 10), (4, 12, 10), 8, 0),
        (BatchNorm(), (64,), (64,), 128, 0),
        (ReLU(), (4, 12, 10), (4, 12, 10), 0, 0),
        (ReLU(), (64,), (64,), 0, 0),
        (Dropout(0.1), (4, 12, 10), (4, 12, 10), 0, 0),
        (MaxPool(2), (4, 13, 10), (4, 6, 5), 0, 0),
        (MaxPool(3), (4, 12, 10), (4, 4, 3), 0, 0),
        (GlobalAveragePool(), (4, 12, 10), (4,), 0, 0),
        (Flatten(), (4, 12, 10), (480,), 0, 0),
        (Linear(10), (64,), (10,), 650, 640),
        (Linear(10, bias=False), (64,), (10,), 640, 640),
    ],
)
def test_a_layer_knows_its_output_and_costs(
    layer: Layer, shape: Shape, output: Shape, parameters: int, macs: int
) -> None:
    assert (layer.output(shape), layer.parameters(shape), layer.macs(shape)) == (output, parameters, macs)


@pytest.mark.parametrize(
    ("layer", "window"),
    [
        (Conv(8, 5, padding=2), (5, 1)),
        (DepthwiseConv(3), (3, 1)),
        (MaxPool(3), (3, 3)),
        (ReLU(), (1, 1)),
        (BatchNorm(), (1, 1)),
    ],
)
def test_a_window_is_a_side_and_a_stride(layer: Layer, window: tuple[int, int]) -> None:
    assert layer.window == window


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv(0, 3), "filters of a conv layer must be at least 1, but got 0"),
        (lambda: Conv(8, 0), "kernel of a conv layer must be at least 1, but got 0"),
        (lambda: Conv(8, 3, padding=3), "padding of a 3x3 convolution must be from 0 to 2, but got 3"),
        (lambda: Conv(8, 3, padding=-1), "padding of a 3x3 convolution must be from 0 to 2, but got -1"),
        (lambda: DepthwiseConv(0), "kernel of a depthwise_conv layer must be at least 1, but got 0"),
        (lambda: DepthwiseConv(3, padding=3), "padding of a 3x3 convolution must be from 0 to 2, but got 3"),
        (lambda: MaxPool(0), "size of a max_pool layer must be at least 1, but got 0"),
        (lambda: Linear(0), "features of a linear layer must be at least 1, but got 0"),
        (lambda: Dropout(1.5), "dropout rate must be at least 0 and below 1, but got 1.5"),
        (lambda: Dropout(1), "dropout rate must be at least 0 and below 1, but got 1"),
        (lambda: Dropout(-0.1), "dropout rate must be at least 0 and below 1, but got -0.1"),
        (lambda: Dropout(float("nan")), "dropout rate must be at least 0 and below 1, but got nan"),
    ],
)
def test_a_layer_of_impossible_size_is_refused(make: Callable[[], Layer], message: str) -> None:
    with pytest.raises(ArchitectureError, match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Conv(8, 5), (1, 4, 9), "8c5 needs a map of at least 5 pixels a side, but gets 1x4x9"),
        (Conv(8, 5, padding=1), (1, 9, 2), "8c5p1 needs a map of at least 3 pixels a side, but gets 1x9x2"),
        (Conv(8, 3), (64,), "8c3 needs a feature map, but gets 64"),
        (DepthwiseConv(5), (7, 4, 9), "dw5 needs a map of at least 5 pixels a side, but gets 7x4x9"),
        (DepthwiseConv(3), (64,), "dw3 needs a feature map, but gets 64"),
        (MaxPool(2), (4, 3, 1), "P2 needs a map of at least 2 pixels a side, but gets 4x3x1"),
        (MaxPool(2), (64,), "P2 needs a feature map, but gets 64"),
        (GlobalAveragePool(), (64,), "G needs a feature map, but gets 64"),
        (Flatten(), (64,), "F needs a feature map, but gets 64"),
        (Linear(10), (4, 2, 2), "10fb needs flat features (F or G before it), but gets 4x2x2"),
    ],
)
def test_a_layer_refuses_a_shape_that_it_cannot_take(layer: Layer, shape: Shape, message: str) -> None:
    with pytest.raises(ArchitectureError, match=f"^{re.escape(message)}$"):
        layer.output(shape)


@pytest.mark.parametrize(("shape", "text"), [((16, 12, 11), "16x12x11"), ((64,), "64")])
def test_shapes_are_described(shape: Shape, text: str) -> None:
    assert describe(shape) == text


def test_layers_are_values() -> None:
    assert Conv(8, 3) == Conv(8, 3, padding=0, bias=False)
    assert Conv(8, 3) != Conv(8, 3, bias=True)
    assert len({ReLU(), ReLU(), BatchNorm(), Dropout(0.1), Dropout(0.1), Dropout(0.2)}) == 4


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len({kind.kind for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize(
    ("layer", "shape", "kind"),
    [
        (Conv(8, 3), (2, 9, 9), nn.Conv2d),
        (DepthwiseConv(3), (2, 9, 9), nn.Conv2d),
        (BatchNorm(), (2, 9, 9), nn.BatchNorm2d),
        (BatchNorm(), (7,), nn.BatchNorm1d),
        (ReLU(), (7,), nn.ReLU),
        (Dropout(0.25), (7,), nn.Dropout),
        (MaxPool(2), (2, 9, 9), nn.MaxPool2d),
        (Flatten(), (2, 9, 9), nn.Flatten),
        (Linear(3), (7,), nn.Linear),
    ],
)
def test_a_layer_becomes_a_module(layer: Layer, shape: Shape, kind: type[nn.Module]) -> None:
    assert isinstance(layer.module(shape), kind)


def test_a_dropout_module_drops_at_its_rate() -> None:
    dropped = Dropout(0.25).module((7,)).train()(torch.ones(100_000))

    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)


def test_global_average_pooling_is_the_mean_of_each_channel() -> None:
    maps = torch.rand(5, 3, 4, 6)

    torch.testing.assert_close(GlobalAveragePool().module((3, 4, 6))(maps), maps.mean(dim=(2, 3)))


def test_max_pooling_drops_what_is_left_over_at_the_edge() -> None:
    maps = torch.zeros(1, 1, 5, 5)
    maps[..., 4, :] = maps[..., :, 4] = 1

    assert not MaxPool(2).module((1, 5, 5))(maps).any()


def test_a_depthwise_convolution_mixes_no_channels() -> None:
    images, changed = torch.randn(2, 1, 3, 6, 6)
    changed[:, 1] = images[:, 1]
    module = DepthwiseConv(3, padding=1, bias=True).module((3, 6, 6))
    assert torch.equal(module(images)[:, 1], module(changed)[:, 1])
    assert not torch.allclose(module(images)[:, 0], module(changed)[:, 0])
