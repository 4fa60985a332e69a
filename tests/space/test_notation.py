from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from space.architecture import Architecture
from space.layers import (
    ArchitectureError,
    BatchNorm,
    Conv,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
    Linear,
    MaxPool,
    ReLU,
)
from space.notation import read, write
from tests.space.strategies import PROPERTY, architectures


@settings(PROPERTY, max_examples=80)
@given(architectures())
def test_read_gives_back_what_was_written(architecture: Architecture) -> None:
    line = write(architecture)

    assert read(line) == architecture
    assert write(read(line)) == line
    assert "\n" not in line


@settings(PROPERTY, max_examples=80)
@given(st.text(alphabet="0123456789cpbnrdPGFfx-. q", max_size=20) | st.text(max_size=10))
def test_any_text_is_an_architecture_or_one_kind_of_error(text: str) -> None:
    for line in (text, f"1x28x28-{text}", f"1x28x28-{text}-G"):
        try:
            architecture = read(line)
        except ArchitectureError:
            continue
        assert read(write(architecture)) == architecture


def test_the_example_of_the_module() -> None:
    assert read("1x28x28-8c3pnr-P2-16c3pnr-10c3p-G") == Architecture(
        (1, 28, 28),
        (
            Conv(8, 3, 1),
            BatchNorm(),
            ReLU(),
            MaxPool(2),
            Conv(16, 3, 1),
            BatchNorm(),
            ReLU(),
            Conv(10, 3, 1),
            GlobalAveragePool(),
        ),
    )


@pytest.mark.parametrize(
    ("token", "layer"),
    [
        ("8c3", Conv(8, 3)),
        ("8c3p", Conv(8, 3, 1)),
        ("8c5p", Conv(8, 5, 2)),
        ("8c5p1", Conv(8, 5, 1)),
        ("8c4p1", Conv(8, 4, 1)),
        ("8c3b", Conv(8, 3, bias=True)),
        ("8c3pb", Conv(8, 3, 1, bias=True)),
        ("8c4p1b", Conv(8, 4, 1, bias=True)),
        ("128c1", Conv(128, 1)),
        ("n", BatchNorm()),
        ("r", ReLU()),
        ("d0.1", Dropout(0.1)),
        ("d0.00001", Dropout(1e-5)),
        ("P2", MaxPool(2)),
    ],
)
def test_layers_on_maps(token: str, layer: Layer) -> None:
    architecture = Architecture((1, 28, 28), (layer, GlobalAveragePool()))

    assert write(architecture) == f"1x28x28-{token}-G"
    assert read(f"1x28x28-{token}-G") == architecture


@pytest.mark.parametrize(
    ("token", "layer"), [("10fb", Linear(10)), ("10f", Linear(10, bias=False)), ("n", BatchNorm())]
)
def test_layers_on_features(token: str, layer: Layer) -> None:
    architecture = read(f"1x28x28-F-{token}")

    assert architecture == Architecture((1, 28, 28), (Flatten(), layer))
    assert read(write(architecture)) == architecture


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        ("  1x28x28 8c3p n r  P2-G\n", "1x28x28-8c3pnr-P2-G"),
        ("1x28x28-8c3p1nrP2G", "1x28x28-8c3pnr-P2-G"),
        ("1x28x28--8c3p0--d.50-G", "1x28x28-8c3d0.5-G"),
        ("1x28x28-8c1p-G", "1x28x28-8c1-G"),
    ],
)
def test_other_ways_to_write_the_same(line: str, canonical: str) -> None:
    assert write(read(line)) == canonical


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1x28x28-8c3q", "no layer is written 'q' (in '8c3q')"),
        ("1x28x28-8c3pnr-c3-G", "no layer is written 'c3' (in 'c3')"),
        ("1x28x28-8c3pnrx-G", "no layer is written 'x' (in '8c3pnrx')"),
        ("8c3pnr-G", "an architecture begins with its image, as in 1x28x28, but got '8c3pnr'"),
        ("28x28-8c3-G", "an architecture begins with its image, as in 1x28x28, but got '28x28'"),
        ("", "an architecture begins with its image, as in 1x28x28, but got ''"),
        ("1x4x4-8c5-G", "8c5 needs a map of at least 5 pixels a side, but gets 1x4x4"),
        ("1x4x4-8c3-P2-P2-G", "P2 needs a map of at least 2 pixels a side, but gets 8x1x1"),
        ("1x28x28-8c4p-G", "padding of an even kernel must be a number, as in 8c4p1"),
        ("1x28x28-8c4pb-G", "padding of an even kernel must be a number, as in 8c4p1b"),
        ("1x28x28-8c3d1.5-G", "dropout rate must be at least 0 and below 1, but got 1.5"),
        ("1x28x28-0c3-G", "filters of a conv layer must be at least 1, but got 0"),
        ("1x28x28-8c3pnr", "the last layer must leave one value a class, but leaves 8x28x28"),
        ("1x28x28", "the last layer must leave one value a class, but leaves 1x28x28"),
        ("1x28x28-8c3-10fb", "10fb needs flat features (F or G before it), but gets 8x26x26"),
    ],
)
def test_the_part_that_cannot_be_read_is_named(line: str, message: str) -> None:
    with pytest.raises(ArchitectureError, match=f"^{re.escape(message)}$"):
        read(line)
