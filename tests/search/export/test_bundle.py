from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor

from search.errors import SearchError, SettingsError
from search.export import formats
from search.export.bundle import Bundle, bundle
from search.export.exportable import Exportable
from search.export.format import ExportError, Format
from search.export.names import CARD, FORMATS, METRICS
from search.export.onnx_file import Onnx
from search.export.pt2_file import ExportedProgram
from search.export.safetensors_file import Safetensors
from tests.search.export.networks import LINE, Make, with_weights
from workers.dataset import DataSet


class Lenient(Format):
    """Another format, but that it may lose a whole point: 299 images know no tenth of one."""

    def __init__(self, inner: Format) -> None:
        self._inner = inner
        self.name = inner.name  # type: ignore[misc]
        self.may_lose = inner.may_lose and 0.01  # type: ignore[misc]

    @property
    def runtime(self) -> str:
        return self._inner.runtime

    def write(self, model: Exportable, directory: Path, training: DataSet) -> None:
        self._inner.write(model, directory, training)

    def run(self, model: Exportable, directory: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._inner.run(model, directory, images)


class Changed(Lenient):
    """Writes the network with other weights than it has."""

    def write(self, model: Exportable, directory: Path, training: DataSet) -> None:
        state = {name: -tensor if "weight" in name else tensor for name, tensor in model.state.items()}
        self._inner.write(replace(model, state=state), directory, training)


class Stuck(Lenient):
    """Cannot be written to the end."""

    def write(self, model: Exportable, directory: Path, training: DataSet) -> None:
        (directory / self.files[0]).write_text("half")
        raise ExportError("no operator")


def every(*names: str) -> list[Format]:
    return [Lenient(formats.find(name)) for name in names or FORMATS]


@pytest.fixture(scope="module")
def exported(
    model: Exportable, training: DataSet, unseen: DataSet, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Bundle]:
    """All formats of one network; made once, read by many tests."""
    directory = tmp_path_factory.mktemp("exported") / "out"
    return directory, bundle(model, every(), directory, training, lambda: unseen)


def names(directory: Path) -> set[str]:
    return {file.name for file in directory.iterdir()}


def test_everything_that_passes_is_there_with_metrics_and_card(exported: tuple[Path, Bundle]) -> None:
    directory, done = exported
    assert done.failed == {}
    assert names(directory) == {name for files in FORMATS.values() for name in files} | {METRICS, CARD}
    assert names(directory.parent) == {"out"}


def test_metrics_are_standard_json_and_those_of_the_files(exported: tuple[Path, Bundle], model: Exportable) -> None:
    directory, done = exported

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    found = json.loads((directory / METRICS).read_text(), parse_constant=refuse)
    assert found == json.loads(json.dumps(done.metrics))
    assert found["parameters"] == sum(p.numel() for p in model.network().parameters())
    assert {row["file"] for row in found["files"]} == names(directory) - {METRICS, CARD}
    for row in found["files"]:
        content = (directory / row["file"]).read_bytes()
        assert (row["bytes"], row["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert row["predictions"] == 299
        assert row["predictions_as_pytorch"] == 299 or row["format"] == "onnx-int8"
        assert row["runtime"]
    assert found["verification"]["mean_test_accuracy"] == pytest.approx(0.96)
    assert found["verification"]["standard_deviation"] == pytest.approx(0.01)
    assert [run["seed"] for run in found["verification"]["runs"]] == [100, 101, 102]
    assert found["data"]["train_images_sha256"] == model.checksum


def test_flash_in_int8_is_a_byte_a_weight_and_a_little_more(exported: tuple[Path, Bundle], model: Exportable) -> None:
    _, done = exported
    assert done.metrics is not None
    small, weights = done.metrics["int8"], sum(t.numel() for n, t in model.state.items() if t.ndim > 1)
    lone = 8 + 16  # batch norms after a ReLU: a weight for each of their channels
    channels = 8 + 8 + 8 + 12 + 16 + 16 + 10
    biases = channels - 8 - 16  # the second convolution and the first dense layer have neither bias nor batch norm
    assert small["flash_bytes"] == weights + lone + 4 * channels + 4 * biases + 5 * 8
    assert small["ram_bytes"] * 4 == done.metrics["peak_activation_bytes"]["float32"]


def test_the_card_is_one_that_a_hub_can_read(exported: tuple[Path, Bundle]) -> None:
    directory, done = exported
    assert done.metrics is not None
    _, front, text = (directory / CARD).read_text().split("---\n", 2)
    fields = yaml.safe_load(front)
    assert fields["pipeline_tag"] == "image-classification"
    assert fields["datasets"] == ["digits"]
    (result,) = fields["model-index"][0]["results"]
    assert result["metrics"] == [{"type": "accuracy", "value": done.metrics["pytorch"]["test_accuracy"]}]
    assert LINE in text
    assert "The first is taken whatever the test images say, never the best of several." in text
    for said in ("97.00 %", "standard deviation 1.00 points", "candidate 7", "90.00 % with at most 5,000 parameters"):
        assert said in text


@pytest.mark.parametrize("name", FORMATS)
def test_weights_changed_after_the_fact_are_caught_and_the_file_is_not_left(
    model: Exportable, training: DataSet, unseen: DataSet, tmp_path: Path, name: str
) -> None:
    other = "safetensors" if name != "safetensors" else "onnx"
    changed = [Changed(formats.find(name)), *every(other)]
    done = bundle(model, changed, tmp_path / "out", training, lambda: unseen)
    assert done.failed.keys() == {name}
    assert "predictions are not PyTorch's" in done.failed[name] or "and may lose" in done.failed[name]
    assert names(tmp_path / "out") == {*FORMATS[other], METRICS, CARD}
    for text in ((tmp_path / "out" / file).read_text() for file in (METRICS, CARD)):
        assert FORMATS[name][0] not in text


def test_one_weight_a_little_off_is_caught_where_it_changes_a_prediction(
    model: Exportable, training: DataSet, unseen: DataSet, tmp_path: Path
) -> None:
    """The bias of one class grows until the first image changes sides, and not further."""

    class Nudged(Changed):
        by = 0.0

        def write(self, model: Exportable, directory: Path, training: DataSet) -> None:
            state = dict(model.state)
            name = next(reversed(state))
            state[name] = state[name] + torch.eye(10)[3] * self.by
            self._inner.write(replace(model, state=state), directory, training)

    logits = model.logits(unseen.images)
    rest = np.delete(logits, 3, axis=1).max(axis=1) - logits[:, 3]
    margin = float(rest[rest > 0].min())
    for by, failed in ((0.99 * margin, set()), (1.01 * margin, {"onnx"})):
        nudged = Nudged(Onnx())
        nudged.by = by
        done = bundle(model, [nudged], tmp_path / f"{by}", training, lambda: unseen)
        assert done.failed.keys() == failed


def test_if_nothing_passes_nothing_is_left(
    model: Exportable, training: DataSet, unseen: DataSet, tmp_path: Path
) -> None:
    done = bundle(model, [Changed(Onnx()), Stuck(Safetensors())], tmp_path / "out", training, lambda: unseen)
    assert done.metrics is None
    assert done.failed["safetensors"] == "no operator"
    assert done.failed.keys() == {"onnx", "safetensors"}
    assert names(tmp_path) == set()


def test_an_interrupt_leaves_nothing(model: Exportable, training: DataSet, tmp_path: Path) -> None:
    def interrupted() -> DataSet:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bundle(model, every("onnx"), tmp_path / "out", training, interrupted)
    assert names(tmp_path) == set()


def test_test_images_are_asked_for_when_all_is_written(
    model: Exportable, training: DataSet, unseen: DataSet, tmp_path: Path
) -> None:
    said: list[str] = []

    def test() -> DataSet:
        said.append("asked")
        return unseen

    bundle(model, every("onnx", "onnx-int8"), tmp_path / "out", training, test, say=said.append)
    asked = said.index("asked")
    assert said[:asked] == ["writing onnx", "writing onnx-int8"]
    assert said[asked + 1 :] == ["checking onnx on 299 test images", "checking onnx-int8 on 299 test images"]


def test_force_replaces_what_an_earlier_export_left(
    model: Exportable, training: DataSet, unseen: DataSet, tmp_path: Path
) -> None:
    bundle(model, every("onnx", "safetensors"), tmp_path / "out", training, lambda: unseen)
    with pytest.raises(SettingsError, match="--force"):
        bundle(model, every("safetensors"), tmp_path / "out", training, lambda: unseen)
    bundle(model, every("safetensors"), tmp_path / "out", training, lambda: unseen, force=True)
    assert names(tmp_path / "out") == {*FORMATS["safetensors"], METRICS, CARD}


def test_weights_of_another_network_are_one_line(
    make: Make, training: DataSet, unseen: DataSet, tmp_path: Path
) -> None:
    other = with_weights(make("1x8x8-4c3-10c1-G").architecture, 0).state_dict()
    with pytest.raises(SearchError, match=f"the weights are not those of {LINE}"):
        bundle(make(LINE, other), [ExportedProgram()], tmp_path / "out", training, lambda: unseen)
    assert names(tmp_path) == set()


def test_another_verification_and_names_with_marks_are_told_in_the_card(
    make: Make, trained: Mapping[str, Tensor], training: DataSet, unseen: DataSet, tmp_path: Path
) -> None:
    model = make(LINE, trained, study="a | b`c\n# d", takes_bytes=True)
    model = replace(model, verification=model.candidate.verifications[1])
    bundle(model, every("onnx"), tmp_path / "out", training, lambda: unseen)
    text = (tmp_path / "out" / CARD).read_text()
    assert "those of verification 1. It was asked for by number" in text
    assert "| study | `a \\| b'c # d`, candidate 7 |" in text
    assert "take the bytes themselves, as uint8" in text
    assert "model.py" not in text


def test_a_single_verification_has_no_spread(
    model: Exportable, training: DataSet, unseen: DataSet, tmp_path: Path
) -> None:
    once = replace(model, candidate=replace(model.candidate, verifications=(model.verification,)))
    done: Any = bundle(once, every("onnx"), tmp_path / "out", training, lambda: unseen).metrics
    assert done["verification"]["standard_deviation"] is None
    assert "Trained afresh once on all training images" in (tmp_path / "out" / CARD).read_text()
