from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import onnx
import pytest
from hypothesis import given
from torch import Tensor, nn

from search.export import graph
from search.export.exportable import Exportable
from search.export.format import ExportError
from search.export.onnx_file import answers
from tests.search.export.networks import LINE, Make, assert_alike, exportables, noise
from tests.space.strategies import PROPERTY


@PROPERTY
@given(model=exportables())
def test_the_graph_of_any_network_says_what_pytorch_says(model: Exportable) -> None:
    images = noise(model, 3)
    found = answers(graph.graph(model).SerializeToString(), model.inputs(images))
    assert_alike(found, model.logits(images))


@pytest.mark.parametrize("count", [1, 2, 501, 1001])
def test_it_takes_any_number_of_images_at_once(model: Exportable, count: int) -> None:
    images = noise(model, count)
    assert_alike(answers(graph.graph(model).SerializeToString(), model.inputs(images)), model.logits(images))


def test_the_same_network_gives_the_same_bytes(make: Make, trained: Mapping[str, Tensor]) -> None:
    one, other = (graph.graph(make(LINE, trained)) for _ in range(2))
    assert one.SerializeToString() == other.SerializeToString()


def test_there_is_one_input_and_one_output_and_no_weight_beside_the_file(model: Exportable) -> None:
    made = graph.graph(model).graph
    assert [value.name for value in made.input] == ["images"]
    assert [value.name for value in made.output] == ["logits"]
    assert made.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert not any(weight.external_data for weight in made.initializer)


def test_the_metadata_say_what_the_images_must_go_through_and_where_it_comes_from(model: Exportable) -> None:
    made = graph.graph(model)
    graph.describe(model, made)
    told = {entry.key: entry.value for entry in made.metadata_props}
    preprocessing = json.loads(told["preprocessing"])
    assert preprocessing["mean"] == list(model.mean)
    assert preprocessing["deviation"] == list(model.deviation)
    assert preprocessing["included"] is False
    assert told["architecture"] == LINE
    assert (told["study"], told["candidate"], told["classes"]) == ("digits-5000-0.9", "7", "10")
    assert told["verified_test_accuracy"] == "0.97"


def test_with_preprocessing_it_takes_the_bytes_themselves(model: Exportable) -> None:
    images = noise(model, 20)
    made = graph.graph(replace(model, takes_bytes=True))
    assert made.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert_alike(answers(made.SerializeToString(), images), model.logits(images))


def test_without_preprocessing_it_does_not_take_bytes(model: Exportable) -> None:
    with pytest.raises(ExportError, match="onnxruntime cannot run it"):
        answers(graph.graph(model).SerializeToString(), np.zeros((1, 1, 8, 8), np.uint8))


def test_a_layer_that_has_no_operator_is_refused(model: Exportable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "fold", lambda network: nn.Sequential(network, nn.Softplus()))
    with pytest.raises(ExportError, match="no ONNX operator for"):
        graph.graph(model)
