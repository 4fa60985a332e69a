from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from space.architecture import Architecture
from space.building import build
from space.fitting import parameters
from space.identity import canonical, identity
from space.layers import Dropout
from space.notation import read, write
from space.ranges import Choices, Value
from space.search_space import SearchSpace
from tests.space.strategies import PROPERTY, SPACES, architectures, chosen

MNIST = SPACES[0]


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("1x8x8-4c3rd0-P1-10c6-F", "1x8x8-4c3r-F-10f"),
        ("1x8x8-4c3r-P2r-Gr-10f", "1x8x8-4c3r-P2-G-10f"),
        ("1x8x8-4c3rd0.1r-P2-Fr-10fb", "1x8x8-4c3rd0.1-P2-F-10fb"),
        ("1x8x8-4c3nr-10c6-F", "1x8x8-4c3nr-F-10f"),
        ("1x8x8-4c3nr-10c6b-G", "1x8x8-4c3nr-F-10fb"),
        ("1x8x8-4c3nr-10c6bnrd0.1-F", "1x8x8-4c3nr-F-10fbnrd0.1"),
        ("1x8x8-4c3nr-6c6r-10c1-F", "1x8x8-4c3nr-F-6fr-10f"),
        ("1x8x8-4c3nrd0.1-10c6-F", "1x8x8-4c3nr-Fd0.1-10f"),
        ("1x8x8-4c3-Frd0.1-10f", "1x8x8-4c3rd0.1-F-10f"),
        ("1x2x2-3c1-P2n-F-10f", "1x2x2-3c1-P2-Gn-10f"),
        ("1x2x2-3c2-P1-G", "1x2x2-F-3f"),
        ("1x8x8-dw3pbnr-10c1-G", "1x8x8-1c3pbnr-10c1-G"),
        ("1x8x8-dw3-1c3r-dw4r-F-10f", "1x8x8-1c3-1c3r-F-1fr-10f"),
    ],
)
def test_equal_networks_written_differently_have_one_identity(line: str, same: str) -> None:
    assert identity(read(line)) == identity(read(same))
    assert read(line).totals.parameters == read(same).totals.parameters
    assert read(line).totals.macs == read(same).totals.macs


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("1x8x8-4c3nr-10c1-G", "1x8x8-4c3nr-10c1-G-10f"),
        ("1x8x8-4c3nr-10c3-G", "1x8x8-4c3nr-10c3p-G"),
        ("1x8x8-4c3bnr-10c1-G", "1x8x8-4c3nr-10c1-G"),
        ("1x8x8-4c3nr-10c1-G", "1x8x8-4c3nr-G-10f"),
        ("1x8x8-4c3nrd0.1-G-10f", "1x8x8-4c3nr-Gd0.1-10f"),
        ("1x8x8-4c3r-P2n-F-10f", "1x8x8-4c3rn-P2-F-10f"),
        ("1x8x8-4c3-P2n-F-10f", "1x8x8-4c3-P2-Fn-10f"),
        ("1x8x7-4c3nr-10c5-G", "1x8x7-4c3nr-F-10f"),
        ("1x8x8-4c3nr-6c6-10c3p-F", "1x8x8-4c3nr-F-6f-10f"),
        ("1x8x8-4c3nr-4c3nr-F-10f", "1x8x8-4c3nr-F-10f"),
        ("1x8x8-4c3nr-10c1-G", "1x9x9-4c3nr-10c1-G"),
        ("1x8x8-4c3nr-dw3-10c1-G", "1x8x8-4c3nr-10c3-G"),
        ("1x8x8-4c3nr-dw6-10c1-G", "1x8x8-4c3nr-F-4f-10f"),
        ("1x8x8-4c3nr-10c1-G", "1x8x8-4c3nr-11c1-G"),
        ("1x8x8-4c3d0.1-10c1-G", "1x8x8-4c3d0.2-10c1-G"),
    ],
)
def test_other_networks_have_another(line: str, other: str) -> None:
    assert identity(read(line)) != identity(read(other))


def test_it_is_the_same_tomorrow() -> None:
    assert identity(read("1x28x28-8c3pnr-P2-16c3pnr-10c3p-G")) == "9f1e666f2498"


def outputs(architecture: Architecture, images: Tensor) -> Tensor:
    """Of a network in training without its dropout, whose weights follow from their number and order."""
    layers = tuple(layer for layer in architecture.layers if not isinstance(layer, Dropout))
    network = build(Architecture(architecture.input, layers)).double().train()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in network.parameters():
            weights.copy_(torch.randn(weights.numel(), generator=generator, dtype=torch.float64).view_as(weights))
        found: Tensor = network(images)
    return found


def is_same_function(one: Architecture, other: Architecture) -> bool:
    images = torch.randn(8, *one.input, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return torch.allclose(outputs(one, images), outputs(other, images))


@settings(PROPERTY, max_examples=60)
@given(architectures())
def test_what_is_canonical_is_the_same_function_at_the_same_cost_and_stays_so(architecture: Architecture) -> None:
    found = canonical(architecture)

    assert is_same_function(found, architecture)
    assert found.totals.parameters == architecture.totals.parameters
    assert found.totals.macs == architecture.totals.macs
    assert canonical(found) == found


@settings(PROPERTY, max_examples=40)
@given(chosen())
def test_that_holds_for_the_networks_of_a_search_too(drawn: tuple[SearchSpace, dict[str, Value]]) -> None:
    space, choices = drawn
    architecture = space.architecture(choices)

    assert is_same_function(canonical(architecture), architecture)
    assert parameters(space, choices) == canonical(architecture).totals.parameters


def test_no_two_functions_of_small_networks_share_an_identity_nor_one_function_two() -> None:
    """Networks without dropout, of few widths and kinds, so that equal functions come up."""
    space = SearchSpace((1, 8, 8), 3)
    rng = random.Random(0)
    images = torch.randn(8, *space.image, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    functions: dict[str, Tensor] = {}
    lines: dict[str, str] = {}
    for architecture in (space.architecture(few(space, rng)) for _ in range(400)):
        found = outputs(architecture, images)
        mine = identity(architecture)
        for other, theirs in functions.items():
            assert torch.allclose(found, theirs) == (other == mine), (lines[other], write(architecture))
        functions[mine], lines[mine] = found, write(architecture)
    assert len(functions) < 300


def few(space: SearchSpace, rng: random.Random) -> Choices:
    free = {"depth2", "head", "head_kernel", "finish", "norm", "transition", "pool2", "padding"}
    fixed = {"kernel1": 3, "kernel2": 3, "width1": 3, "width2": 4}
    drawn = space.choose(lambda dimension: rng.choice(dimension.ends) if dimension.name in free else dimension.ends[0])
    return drawn | {name: 0 for name in drawn if name.startswith("growth")} | fixed | {"dropout": 0.0}
