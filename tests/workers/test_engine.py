"""Compiled steps against PyTorch, which is the reference for losses, gradients, steps and statistics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from space.building import build
from space.notation import read
from workers.augmentation import coefficients, random_affine
from workers.engine import Engine, OptimiserName, Pictures, Rule, knows
from workers.kernels import Kernels
from workers.muon import Muon
from workers.recipe import Augmentation

LINES = [
    "1x28x28-8c3pnr-12c3pnr-P2-16c3pnr-16c3pnr-P2-20c3pnr-10c3p-G",
    "1x28x28-4c3brn-8c3brn-P2-16c3brn-16c3brn-10c3brn-G",  # norms after ReLU, biases
    "1x12x12-5c3nr-7c3n-P2-9c2r-10c3-G",  # odd maps, an even kernel, a norm without ReLU
    "3x9x7-5c3r-6c3pr-P2-G-10f",  # three channels, no square, no norm
    "1x16x16-9c3r-P2n-P2n-7c2r-P2n-F-10fb",  # norms after pools, two in a row
    "1x11x11-6c5pnr-11c1nr-10c11n-F",  # a convolution as large as the map
    "2x6x6-3c3p2r-r-10c8-F",  # more padding than keeps the size
    "1x28x28-7c3nr-P2-dw3-9c1nr-dw3p-13c1nr-P2-dw3-10c1-G",  # separable ones
    "3x12x10-dw3b-r-dw2p1nr-P2-dw3br-5c1-dw3p-10c1-dw2-G",  # depthwise ones alone: first, last, with bias, norm, ReLU
    "1x5x5-F-10fb",
]
TIMES, LESS = (0.013, 0.011, 0.009), (0.4, 0.3, 0.2)


def pictures(shape: tuple[int, ...], seed: int, count: int = 150) -> Pictures:
    rng = np.random.default_rng(seed)
    return Pictures(
        images=torch.from_numpy(rng.integers(0, 256, (count, *shape), dtype=np.uint8)),
        labels=torch.from_numpy(rng.integers(0, 10, count)),
        scale=torch.tensor(TIMES[: shape[0]]),
        shift=torch.tensor(LESS[: shape[0]]),
    )


def batch_of(shown: Pictures, places: Tensor, kind: torch.dtype = torch.float32) -> Tensor:
    """The images as PyTorch takes them."""
    scale, shift = (one.to(kind).view(1, -1, 1, 1) for one in (shown.scale, shown.shift))
    return shown.images[places].to(kind) * scale - shift


def network_of(line: str, seed: int = 0) -> nn.Sequential:
    """With scales and shifts of both signs."""
    torch.manual_seed(seed)
    network = build(read(line))
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.copy_(torch.randn(parameter.shape))
    return network


def reference(network: nn.Sequential, shown: Pictures, places: Tensor, smoothing: float) -> tuple[float, Tensor]:
    """Loss and gradients in float64."""
    double = nn.Sequential(*network).double()
    images, labels = batch_of(shown, places, torch.float64), shown.labels[places]
    loss = functional.cross_entropy(double(images), labels, label_smoothing=smoothing)
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.item(), torch.cat([torch.as_tensor(value.grad).reshape(-1) for value in double.parameters()])


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("count", [37, 64])
def test_losses_and_gradients_are_those_of_torch(line: str, count: int, kernels: Kernels) -> None:
    """Where a ReLU or a pool is undecided, rounding decides: that may happen to some of these batches, not to all."""
    errors = []
    for seed in range(3):
        network, shown = network_of(line, seed), pictures(read(line).input, seed)
        rule = Rule(matrices="muon", others="adam", smoothing=0.1)
        engine = Engine(kernels, network, shown, rule, batch=64)
        places = torch.randperm(150, generator=torch.Generator().manual_seed(seed))[:count]
        loss, found = engine.gradients(places)
        expected, gradient = reference(network, shown, places, 0.1)
        assert loss == pytest.approx(expected, rel=1e-4)
        errors.append(float((found - gradient).norm() / gradient.norm()))
    assert max(errors) < 0.05
    assert min(errors) < 5e-5


def optimisers(network: nn.Module, name: OptimiserName) -> list[torch.optim.Optimizer]:
    matrices = [value for value in network.parameters() if value.ndim > 1]
    others = [value for value in network.parameters() if value.ndim == 1]
    match name:
        case "muon":
            return [Muon(matrices, lr=0.02, momentum=0.9), torch.optim.Adam(others, lr=0.01)]
        case "adam":
            return [torch.optim.Adam(network.parameters(), lr=0.02, weight_decay=0.1)]
        case "sgd":
            return [torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9, weight_decay=0.1)]


@pytest.mark.parametrize("name", ["muon", "adam", "sgd"])
def test_steps_statistics_and_predictions_are_those_of_torch(name: OptimiserName, kernels: Kernels) -> None:
    network, shown = network_of("1x8x8-6c3brn-P2-8c3pn-10c1-G"), pictures((1, 8, 8), 1)
    ours = network_of("1x8x8-6c3brn-P2-8c3pn-10c1-G")
    rule = Rule(matrices=name, others="adam", momentum=0.9)
    if name != "muon":
        rule = Rule(matrices=name, others=name, momentum=0.9, decay=0.1)
    engine = Engine(kernels, ours, shown, rule, batch=32)
    places = torch.randperm(150, generator=torch.Generator().manual_seed(0))[:96]
    rates = torch.tensor([[0.02, 0.01 if name == "muon" else 0.02]]).repeat(3, 1)
    losses = engine.train(places, 32, None, rates)
    steps = optimisers(network, name)
    for step, some in enumerate(torch.split(places, 32)):
        loss = functional.cross_entropy(network(batch_of(shown, some)), shown.labels[some])
        network.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for optimiser in steps:
            optimiser.step()
        assert losses[step].item() == pytest.approx(loss.item(), rel=1e-3)
    engine.store()
    torch.testing.assert_close(ours.state_dict(), network.state_dict(), rtol=1e-3, atol=1e-4)
    with torch.no_grad():
        expected = network.eval()(batch_of(shown, torch.arange(150)))
    torch.testing.assert_close(engine.logits(torch.arange(150)), expected, rtol=1e-3, atol=1e-3)


def test_images_are_moved_as_by_grid_sample(kernels: Kernels) -> None:
    """A network that puts its image out: 25 places, each a class."""
    dense = nn.Linear(25, 25, bias=False)
    with torch.no_grad():
        dense.weight.copy_(torch.eye(25))
    network = nn.Sequential(nn.Flatten(), dense)
    shown = pictures((1, 5, 5), 2)
    bounds = Augmentation(rotation=40, scale=0.3, shift=0.4, shear=0.5)
    rule = Rule(matrices="sgd", others="sgd")
    places = torch.arange(100)
    maps = coefficients(100, bounds, torch.Generator().manual_seed(3))
    losses = Engine(kernels, network, shown, rule, batch=1).train(places, 1, maps, torch.zeros(100, 2))
    images = shown.images[places] * shown.scale.view(1, 1, 1, 1)
    moved = random_affine(images, bounds, torch.Generator().manual_seed(3)) - shown.shift.view(1, 1, 1, 1)
    expected = functional.cross_entropy(moved.flatten(1), shown.labels[places], reduction="none")
    torch.testing.assert_close(losses, expected, rtol=1e-4, atol=1e-4)


def test_dropout_drops_its_share_and_the_gradient_passes_where_values_did(kernels: Kernels) -> None:
    dense = nn.Linear(400, 10, bias=False)
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), dense)
    shown = pictures((1, 20, 20), 4)
    engine = Engine(kernels, network, shown, Rule(matrices="sgd", others="sgd"), batch=1, seed=5)
    places = torch.tensor([7])
    loss, gradient = engine.gradients(places)
    image = batch_of(shown, places).flatten()
    by_class = gradient.view(10, 400)
    kept = by_class[0] != 0
    assert 0.6 < kept.float().mean() < 0.8
    weight = dense.weight.detach()
    logits = weight @ (image * kept / 0.7)
    assert loss == pytest.approx(functional.cross_entropy(logits, shown.labels[7]).item(), rel=1e-4)
    torch.testing.assert_close(engine.logits(places)[0], weight @ image, rtol=1e-3, atol=1e-4)
    other = Engine(kernels, network, shown, Rule(matrices="sgd", others="sgd"), batch=1, seed=6)
    assert not torch.equal(other.gradients(places)[1], gradient)


def test_what_is_masked_stays_zero(kernels: Kernels) -> None:
    network, shown = network_of("1x8x8-6c3nr-10c3-G"), pictures((1, 8, 8), 0)
    mask = (torch.arange(54) % 3 > 0).view(6, 1, 3, 3)
    rule = Rule(matrices="muon", others="adam", momentum=0.9)
    engine = Engine(kernels, network, shown, rule, batch=16, masks={"0.weight": mask})
    engine.train(torch.arange(64), 16, None, torch.full((4, 2), 0.05))
    engine.store()
    weight = dict(network.named_parameters())["0.weight"]
    assert torch.equal(weight != 0, mask)


def test_padding_lanes_of_a_short_batch_change_nothing(kernels: Kernels) -> None:
    """A batch of 16 images is whole blocks on every machine; one more image needs another block, nearly empty."""
    network, shown = network_of("1x8x8-6c3nr-7c3rn-10c3-G"), pictures((1, 8, 8), 0)
    rule = Rule(matrices="muon", others="adam")
    large, small = (Engine(kernels, network, shown, rule, batch=size) for size in (64, 17))
    places = torch.arange(17)
    assert torch.equal(large.gradients(places)[1], small.gradients(places)[1])
    errors = (large.gradients(places)[1] - reference(network, shown, places, 0.0)[1]).abs()
    assert errors.max() < 1e-3


@pytest.mark.parametrize("layer", [nn.MaxPool2d(3), nn.Tanh(), nn.Conv2d(1, 4, (3, 5))])
def test_other_layers_are_not_known(layer: nn.Module, kernels: Kernels) -> None:
    network = nn.Sequential(layer)
    shown = pictures((1, 8, 8), 0)
    assert not knows(network, shown.images)
    with pytest.raises(ValueError, match="knows no layer"):
        Engine(kernels, network, shown, Rule(matrices="muon", others="adam"), batch=16)
