from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings

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
    Shape,
)
from tests.space.strategies import PROPERTY, architectures

IMAGE = (1, 28, 28)
SMALL = Architecture(
    IMAGE, (Conv(8, 3, bias=True), BatchNorm(), ReLU(), MaxPool(2), Dropout(0.1), Flatten(), Linear(10))
)


@settings(PROPERTY, max_examples=60)
@given(architectures())
def test_json_round_trip(architecture: Architecture) -> None:
    read = Architecture.from_json(json.loads(json.dumps(architecture.to_json())))

    assert read == architecture
    assert hash(read) == hash(architecture)


def test_json_is_plain() -> None:
    assert Architecture((1, 4, 4), (Conv(2, 3), GlobalAveragePool())).to_json() == {
        "input": [1, 4, 4],
        "layers": [
            {"kind": "conv", "filters": 2, "kernel": 3, "padding": 0, "bias": False},
            {"kind": "global_average_pool"},
        ],
    }


def test_totals_rows_and_classes() -> None:
    assert [row.shape for row in SMALL.rows()] == [
        (8, 26, 26),
        (8, 26, 26),
        (8, 26, 26),
        (8, 13, 13),
        (8, 13, 13),
        (1352,),
        (10,),
    ]
    assert [row.parameters for row in SMALL.rows()] == [80, 16, 0, 0, 0, 0, 13_530]
    assert SMALL.classes == 10
    assert SMALL.totals.parameters == 13_626
    assert SMALL.totals.macs == 8 * 26 * 26 * 9 + 13_520


def test_architectures_are_values() -> None:
    same = Architecture(IMAGE, tuple(SMALL.layers))
    other = Architecture(IMAGE, (*SMALL.layers[:-1], Linear(9)))

    assert SMALL.totals == same.totals  # a total that was computed changes nothing of what follows
    assert same == SMALL
    assert len({SMALL, same, other}) == 2


@pytest.mark.parametrize(
    ("image", "layers", "message"),
    [
        (IMAGE, (), "the last layer must leave one value a class, but leaves 1x28x28"),
        (IMAGE, (Conv(10, 28),), "the last layer must leave one value a class, but leaves 10x1x1"),
        ((28, 28), (Flatten(),), "input must be channels x height x width, but got 28x28"),
        ((), (Flatten(),), "input must be channels x height x width, but got none"),
        ((1, 0, 28), (Flatten(),), "input must be channels x height x width, but got 1x0x28"),
        ((1, 4, 4), (Conv(8, 3), Conv(8, 3), Flatten()), "8c3 needs a map of at least 3 pixels a side, but gets 8x2x2"),
        ((1, 4, 4), (Conv(8, 3), Linear(10)), "10fb needs flat features (F or G before it), but gets 8x2x2"),
        ((1, 4, 4), (Flatten(), Flatten()), "F needs a feature map, but gets 16"),
    ],
)
def test_layers_that_do_not_fit_together_are_refused(image: Shape, layers: tuple[Layer, ...], message: str) -> None:
    with pytest.raises(ArchitectureError, match=f"^{re.escape(message)}$"):
        Architecture(image, layers)


def layer_json(**fields: object) -> dict[str, Any]:
    return {"input": [1, 8, 8], "layers": [fields, {"kind": "flatten"}]}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "1x8x8-F",
        {},
        {"input": [1, 8, 8]},
        {"layers": [{"kind": "flatten"}]},
        {"input": 8, "layers": [{"kind": "flatten"}]},
        {"input": "188", "layers": [{"kind": "flatten"}]},
        {"input": [1, 8, 8], "layers": None},
        {"input": [1, 8, 8], "layers": ["flatten"]},
        layer_json(),
        layer_json(kind="conv", filters=8),
        layer_json(kind="conv", filters="8", kernel=3),
        layer_json(kind="conv", filters=8, kernel=3, stride=2),
        layer_json(kind=["conv"], filters=8, kernel=3),
        layer_json(kind="dropout", rate="0.1"),
    ],
)
def test_other_json_is_refused(value: Any) -> None:
    with pytest.raises(ArchitectureError, match=r"^not the JSON of an architecture: ."):
        Architecture.from_json(value)


@pytest.mark.parametrize(
    "value",
    [
        {"input": [1, 8.5, 8], "layers": [{"kind": "flatten"}]},
        layer_json(kind="conv", filters=8.5, kernel=3),
        layer_json(kind="conv", filters=8, kernel=3, bias="no"),
        layer_json(kind="max_pool", size=2.0),
    ],
)
def test_json_with_values_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(ArchitectureError):
        Architecture.from_json(value)


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        ArchitectureError,
        match=r"^layer kind must be one of conv, depthwise_conv, batch_norm, relu, dropout, max_pool, "
        "global_average_pool, flatten, linear, but got dense$",
    ):
        Architecture.from_json(layer_json(kind="dense", features=10))


def test_json_of_layers_that_do_not_fit_is_refused_by_the_layer() -> None:
    with pytest.raises(ArchitectureError, match=r"^8c9 needs a map of at least 9 pixels a side, but gets 1x8x8$"):
        Architecture.from_json(layer_json(kind="conv", filters=8, kernel=9))
