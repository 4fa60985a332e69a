from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given
from torch import Tensor

from search.export.exportable import Exportable
from search.export.model_source import source
from search.export.safetensors_file import Safetensors
from tests.search.export.networks import LINE, Make, assert_alike, exportables, noise
from tests.space.strategies import PROPERTY


@PROPERTY
@given(model=exportables())
def test_the_code_of_any_network_says_what_pytorch_says(model: Exportable) -> None:
    images = noise(model, 3)
    with tempfile.TemporaryDirectory() as directory:
        Safetensors().write(model, Path(directory), None)  # type: ignore[arg-type]
        found = Safetensors().run(model, Path(directory), images)
    assert_alike(found, model.logits(images))


def test_no_name_of_a_study_breaks_the_code(make: Make, trained: Mapping[str, Tensor]) -> None:
    name = 'a\'b"c"""d\\e\n$origin é'
    namespace: dict[str, object] = {"__file__": "model.py", "__name__": "model"}
    exec(source(make(LINE, trained, study=name)), namespace)
    assert namespace["ORIGIN"] == f"candidate 7 of study {name}"


def test_nothing_is_written_that_an_older_torch_does_not_know(model: Exportable) -> None:
    lines = [line for line in source(model).splitlines() if "nn.BatchNorm" in line]
    assert lines
    assert not any("bias" in line for line in lines)
