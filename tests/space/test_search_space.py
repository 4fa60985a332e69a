from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from space.building import build
from space.notation import write
from space.ranges import Choice, Range, Value
from space.search_space import SEPARABLE, SearchSpace
from tests.space.strategies import PROPERTY, SPACES, chosen, spaces

MNIST = SearchSpace((1, 28, 28), 10)

TWO_STAGES: dict[str, Value] = {
    **MNIST.choose(lambda dimension: dimension.ends[0]),
    "depth1": 2,
    "width1": 4,
    "growth1.2": 2,
    "kernel1": 3,
    "depth2": 1,
    "width2": 8,
    "kernel2": 2,
    "pool2": True,
    "depth3": 0,
    "transition": "none",
    "transition1": 9,
    "norm": "before relu",
    "bias": False,
    "padding": False,
    "head": "average",
    "head_kernel": 3,
    "finish": "plain",
    "dropout": 0.0,
    "dropout_from": 1,
}
POOLS_IN_A_ROW: dict[str, Value] = {"depth2": 0, "depth3": 1, "width3": 9, "kernel3": 2, "pool3": False}


@settings(PROPERTY, max_examples=60)
@given(chosen())
def test_any_choices_build_a_network_for_the_images_and_classes(drawn: tuple[SearchSpace, dict[str, Value]]) -> None:
    space, choices = drawn
    architecture = space.architecture(choices)

    assert architecture.input == space.image
    assert build(architecture).eval()(torch.zeros(1, *space.image)).shape == (1, space.classes)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_corners_and_random_draws_build(space: SearchSpace) -> None:
    rng = random.Random(0)
    for _ in range(300):
        for choices in (space.random(rng), space.choose(lambda dimension: rng.choice(dimension.ends))):
            assert space.architecture(choices).classes == space.classes


@settings(PROPERTY, max_examples=60)
@given(spaces(), st.randoms(use_true_random=False))
def test_draws_stay_in_their_ranges(space: SearchSpace, rng: random.Random) -> None:
    choices = space.random(rng)
    for dimension in space.dimensions:
        if isinstance(dimension, Range):
            assert choices[dimension.name] in range(dimension.low, dimension.high + 1)
        else:
            assert choices[dimension.name] in dimension.values


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_every_range_is_drawn_for_every_network(space: SearchSpace) -> None:
    names = [dimension.name for dimension in space.dimensions]
    asked: list[str] = []

    def chooser(dimension: Range | Choice) -> Value:
        asked.append(dimension.name)
        return dimension.ends[-1]

    assert len(set(names)) == len(names)
    assert list(space.choose(chooser)) == asked == names
    assert list(space.random(random.Random(0))) == names


def test_a_range_without_a_value_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        MNIST.architecture({name: value for name, value in TWO_STAGES.items() if name != "width2"})


def test_the_seed_gives_the_draws() -> None:
    assert MNIST.random(random.Random(5)) == MNIST.random(random.Random(5))
    assert MNIST.random(random.Random(5)) != MNIST.random(random.Random(6))


def test_logarithmic_ranges_draw_every_number_and_small_ones_more_often() -> None:
    rng = random.Random(0)
    width = Range("width", 2, 32, log=True)
    counts = Counter(width.draw(rng) for _ in range(20_000))

    assert set(counts) == set(range(2, 33))
    # Even in the logarithm, from 1.5 to 32.5: up to 7 is log(7.5 / 1.5) / log(32.5 / 1.5) of all.
    assert sum(counts[number] for number in range(2, 8)) / 20_000 == pytest.approx(0.523, abs=0.02)


def test_other_ranges_draw_evenly() -> None:
    rng = random.Random(0)
    counts = Counter(Range("depth", 0, 3).draw(rng) for _ in range(8_000))

    assert sorted(counts) == [0, 1, 2, 3]
    assert min(counts.values()) > 1_800


@pytest.mark.parametrize("log", [False, True])
def test_draws_keep_to_what_is_usual(log: bool) -> None:
    rng = random.Random(0)
    width = Range("width", 2, 32, log=log, usual=(4, 6))

    assert {width.draw(rng) for _ in range(200)} == {4, 5, 6}
    assert width.ends == (2, 32)


def test_choices_are_drawn_by_their_weights() -> None:
    rng = random.Random(0)
    counts = Counter(Choice("head", ("average", "dense", "conv"), (70, 30, 0)).draw(rng) for _ in range(10_000))

    assert set(counts) == {"average", "dense"}
    assert counts["dense"] / 10_000 == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize(
    ("dimension", "text"),
    [
        (Range("depth", 0, 3), "0 to 3"),
        (Range("growth", -8, 16, usual=(-4, 10)), "-8 to 16, usually -4 to 10"),
        (Range("width", 2, 32, log=True), "2 to 32 (log)"),
        (Choice("head", ("average", "dense"), (60, 40)), "average (60 %), dense (40 %)"),
        (Choice("bias", (False, True), (50, 50)), "False (50 %), True (50 %)"),
    ],
)
def test_ranges_describe_themselves(dimension: Range | Choice, text: str) -> None:
    assert str(dimension) == text


@pytest.mark.parametrize(
    ("side", "stages"), [(6, 2), (8, 2), (15, 2), (16, 3), (28, 3), (31, 3), (32, 4), (64, 4), (224, 4)]
)
def test_larger_images_have_more_stages(side: int, stages: int) -> None:
    assert SearchSpace((1, side, side + 3), 10).stages == stages


def test_images_that_are_too_small_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^images must have at least 6 pixels a side, but have 5$"):
        SearchSpace((1, 28, 5), 10)


@pytest.mark.parametrize(
    ("changes", "layers"),
    [
        ({}, "4c3nr-6c3nr-P2-8c2nr-P2-10c3-G"),
        ({"depth1": 1}, "4c3nr-P2-8c2nr-P2-10c3-G"),
        ({"depth1": 3, "growth1.3": -3}, "4c3nr-6c3nr-3c3nr-P2-8c2nr-P2-10c3-G"),
        ({"growth1.2": -8}, "4c3nr-2c3nr-P2-8c2nr-P2-10c3-G"),
        ({"width1": 31, "growth1.2": 16}, "31c3nr-47c3nr-P2-8c2nr-P2-10c3-G"),
        ({"width1": 60, "growth1.2": 16}, "60c3nr-64c3nr-P2-8c2nr-P2-10c3-G"),
        ({"depth2": 0}, "4c3nr-6c3nr-P2-10c3-G"),
        ({"pool2": False}, "4c3nr-6c3nr-P2-8c2nr-10c3-G"),
        ({"depth3": 1, "width3": 9, "kernel3": 2}, "4c3nr-6c3nr-P2-8c2nr-P2-9c2nr-10c3p-G"),
        (POOLS_IN_A_ROW, "4c3nr-6c3nr-P2-P2-9c2nr-10c3-G"),
        ({"norm": "after relu"}, "4c3rn-6c3rn-P2-8c2rn-P2-10c3-G"),
        ({"norm": "after pool"}, "4c3rn-6c3r-P2n-8c2r-P2n-10c3-G"),
        ({"norm": "after pool", "pool2": False}, "4c3rn-6c3r-P2n-8c2rn-10c3-G"),
        ({"norm": "after pool", **POOLS_IN_A_ROW}, "4c3rn-6c3r-P2n-P2n-9c2rn-10c3-G"),
        ({"norm": "after first pool", **POOLS_IN_A_ROW}, "4c3rn-6c3r-P2n-P2-9c2rn-10c3-G"),
        ({"norm": "none"}, "4c3r-6c3r-P2-8c2r-P2-10c3-G"),
        ({"norm": "none", "finish": "norm"}, "4c3r-6c3r-P2-8c2r-P2-10c3-G"),
        ({"bias": True}, "4c3bnr-6c3bnr-P2-8c2bnr-P2-10c3b-G"),
        ({"padding": True}, "4c3pnr-6c3pnr-P2-8c3pnr-P2-10c3p-G"),
        ({SEPARABLE: 1}, "4c3nr-dw3-6c1nr-P2-dw2-8c1nr-P2-dw3-10c1-G"),
        ({SEPARABLE: 2}, "4c3nr-6c3nr-P2-dw2-8c1nr-P2-dw3-10c1-G"),
        ({SEPARABLE: 3}, "4c3nr-6c3nr-P2-8c2nr-P2-dw3-10c1-G"),
        ({SEPARABLE: 4}, "4c3nr-6c3nr-P2-8c2nr-P2-dw3-10c1-G"),
        ({SEPARABLE: 4, "head_kernel": 1}, "4c3nr-6c3nr-P2-8c2nr-P2-10c1-G"),
        ({SEPARABLE: 1, "depth1": 1, "head": "dense"}, "4c3nr-P2-dw2-8c1nr-P2-F-10f"),
        (
            {SEPARABLE: 2, "bias": True, "padding": True, "transition": "after pool"},
            "4c3pbnr-6c3pbnr-P2-9c1bnr-dw3p-8c1bnr-P2-dw3p-10c1b-G",
        ),
        ({"transition": "before pool"}, "4c3nr-6c3nr-9c1nr-P2-8c2nr-P2-10c3-G"),
        ({"transition": "after pool"}, "4c3nr-6c3nr-P2-9c1nr-8c2nr-P2-10c3-G"),
        ({"transition": "after pool, linear"}, "4c3nr-6c3nr-P2-9c1-8c2nr-P2-10c3-G"),
        ({"head_kernel": 1}, "4c3nr-6c3nr-P2-8c2nr-P2-10c1-G"),
        ({"head": "dense"}, "4c3nr-6c3nr-P2-8c2nr-P2-F-10f"),
        ({"head": "dense", "bias": True}, "4c3bnr-6c3bnr-P2-8c2bnr-P2-F-10fb"),
        ({"head": "conv"}, "4c3nr-6c3nr-P2-8c2nr-P2-10c5-F"),
        ({"head": "bottleneck conv"}, "4c3nr-6c3nr-P2-8c2nr-P2-10c1nr-10c5-F"),
        ({"finish": "norm"}, "4c3nr-6c3nr-P2-8c2nr-P2-10c3n-G"),
        ({"finish": "block"}, "4c3nr-6c3nr-P2-8c2nr-P2-10c3nr-G"),
        ({"dropout": 0.1}, "4c3nrd0.1-6c3nrd0.1-P2-8c2nrd0.1-P2-10c3-G"),
        ({"dropout": 0.1, "dropout_from": 2}, "4c3nr-6c3nr-P2-8c2nrd0.1-P2-10c3-G"),
        ({"dropout": 0.1, "dropout_from": 4, "head": "dense"}, "4c3nr-6c3nr-P2-8c2nr-P2-Fd0.1-10f"),
        ({"dropout": 0.1, "dropout_from": 4, "finish": "block"}, "4c3nr-6c3nr-P2-8c2nr-P2-10c3nrd0.1-G"),
    ],
    ids=str,
)
def test_what_a_choice_means(changes: dict[str, Any], layers: str) -> None:
    assert set(changes) <= {dimension.name for dimension in MNIST.dimensions}
    assert write(MNIST.architecture(TWO_STAGES | changes)) == f"1x28x28-{layers}"


def test_what_a_network_does_not_use_changes_nothing() -> None:
    unused: dict[str, Value] = {
        "growth1.3": 16,
        "growth2.2": 16,
        "width3": 31,
        "kernel3": 3,
        "pool3": True,
        "transition1": 31,
    }

    assert set(unused) <= {dimension.name for dimension in MNIST.dimensions}
    assert MNIST.architecture(TWO_STAGES | unused) == MNIST.architecture(TWO_STAGES)
