from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from search.export import graph, int8_file
from search.export.exportable import Exportable
from search.export.int8_file import Int8Onnx
from search.export.onnx_file import Onnx
from search.export.quantisation import PERCENTILES, quantised
from tests.search.export.networks import Make
from workers.dataset import DataSet, make


def initialisers(file: Path) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    return {weight.name: numpy_helper.to_array(weight) for weight in onnx.load_model(file).graph.initializer}


@pytest.mark.parametrize("takes_bytes", [False, True])
def test_weights_are_int8_with_a_scale_a_channel(
    model: Exportable, training: DataSet, tmp_path: Path, takes_bytes: bool
) -> None:
    Int8Onnx().write(replace(model, takes_bytes=takes_bytes), tmp_path, training)
    found = initialisers(tmp_path / "model.int8.onnx")
    weights = {name: value for name, value in found.items() if name.endswith("weight_quantized")}
    assert len(weights) == 6  # three convolutions, a batch norm after a ReLU, two dense layers
    for name, value in weights.items():
        assert value.dtype == np.int8
        assert found[name.replace("quantized", "scale")].shape == (len(value),)


def test_a_depthwise_convolution_has_a_scale_a_channel(make: Make, training: DataSet, tmp_path: Path) -> None:
    Int8Onnx().write(make("1x8x8-6c3nr-dw3-7c1nr-10c1-G"), tmp_path, training)
    found = initialisers(tmp_path / "model.int8.onnx")
    assert found["2.weight_quantized"].dtype == np.int8
    assert found["2.weight_quantized"].shape == (6, 1, 3, 3)
    assert found["2.weight_scale"].shape == (6,)


def test_it_says_where_it_comes_from_as_the_other_does(model: Exportable, training: DataSet, tmp_path: Path) -> None:
    for one in (Onnx(), Int8Onnx()):
        one.write(model, tmp_path, training)
    exact, small = (onnx.load_model(tmp_path / name) for name in ("model.onnx", "model.int8.onnx"))
    assert {entry.key: entry.value for entry in small.metadata_props} == {
        entry.key: entry.value for entry in exact.metadata_props
    }
    assert not json.loads(small.metadata_props[0].value)["included"]


def test_what_the_training_images_show_is_what_it_can_hold(model: Exportable, training: DataSet) -> None:
    """Calibrated on black images alone, it knows no other value of a pixel."""
    black = np.zeros_like(training.images[:64])
    lit = training.images[:64]
    scales = []
    for images in (black, lit):
        made = quantised(graph.graph(model), model.inputs(images), 100)
        scales.append(next(w for w in made.graph.initializer if w.name == "images_scale"))
    narrow, wide = (float(numpy_helper.to_array(scale)) for scale in scales)
    assert narrow < wide / 2


def test_the_percentile_that_is_closest_on_training_images_is_kept(
    model: Exportable, training: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoilt(whole: onnx.ModelProto, inputs: NDArray[np.float32], percentile: float) -> onnx.ModelProto:
        return quantised(whole, inputs if percentile == PERCENTILES[1] else 0 * inputs, 100)

    monkeypatch.setattr(int8_file, "quantised", spoilt)
    Int8Onnx().write(model, tmp_path, training)
    images = training.images[:300]
    found, expected = Int8Onnx().run(model, tmp_path, images), model.logits(images)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.97


def test_a_training_set_smaller_than_the_sample_will_do(model: Exportable, training: DataSet, tmp_path: Path) -> None:
    few = make("few", training.images[:600], training.labels[:600], training.checksum)
    Int8Onnx().write(model, tmp_path, few)
    assert (tmp_path / "model.int8.onnx").exists()


def test_quantising_prints_nothing_and_leaves_logging_as_it_was(
    model: Exportable, training: DataSet, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = list(logging.getLogger().handlers)
    Int8Onnx().write(model, tmp_path, training)
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger().handlers == before
