from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings

from space.architecture import Architecture
from space.building import build
from space.notation import read
from tests.space.strategies import PROPERTY, architectures

NETWORK = read("1x12x12-4c3pnr-P2-6c3brn-Fd0.1-10fb")


@settings(PROPERTY, max_examples=40)
@given(architectures())
def test_a_batch_of_images_gives_one_value_a_class(architecture: Architecture) -> None:
    logits = build(architecture).eval()(torch.rand(3, *architecture.input))

    assert logits.shape == (3, architecture.classes)
    assert logits.dtype == torch.float32


def test_the_seed_gives_the_weights() -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return torch.nn.utils.parameters_to_vector(build(NETWORK).parameters())

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_every_parameter_is_trained() -> None:
    network = build(NETWORK)
    network(torch.rand(8, 1, 12, 12)).square().sum().backward()

    assert all(weights.grad is not None and weights.requires_grad for weights in network.parameters())


def test_the_last_values_are_logits() -> None:
    logits = build(NETWORK).eval()(torch.rand(16, 1, 12, 12))

    assert (logits < 0).any()
    assert not torch.allclose(logits.exp().sum(dim=1), torch.ones(16))


def test_a_map_of_one_pixel_and_flat_batch_norm_can_be_built() -> None:
    assert build(read("2x1x1-3c1nr-P1-F-nr-4fb-n")).eval()(torch.rand(2, 2, 1, 1)).shape == (2, 4)


EVERYTHING_BUT_BUILDING = """
import random, sys
from space import architecture, building, candidate, counting, filling, known_points, layers, notation, published
from space import search_space

space = search_space.SearchSpace((1, 28, 28), 10)
choices = filling.shrink(space, space.random(random.Random(0)), 1000)
network = notation.read(notation.write(space.architecture(choices)))
assert architecture.Architecture.from_json(network.to_json()).totals.parameters <= 1000
assert known_points.published_in(space)
print(*sorted({name.split(".")[0] for name in sys.modules} & {"torch", "numpy", "optuna", "ray", "sqlalchemy"}))
"""


def test_only_building_imports_torch() -> None:
    done = subprocess.run([sys.executable, "-c", EVERYTHING_BUT_BUILDING], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


@pytest.mark.parametrize("line", ["1x28x28-8c3pnr-10c3p-G", "3x9x7-8c3pnr-F-10fb"])
def test_either_memory_layout_gives_the_same(line: str) -> None:
    architecture = read(line)
    network = build(architecture)
    images = torch.rand(4, *architecture.input)
    first = network(images)
    last = network.to(memory_format=torch.channels_last)(images.contiguous(memory_format=torch.channels_last))

    torch.testing.assert_close(first, last, rtol=1e-4, atol=1e-5)
