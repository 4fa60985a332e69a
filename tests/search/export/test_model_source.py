from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from hypothesis import given
from torch import Tensor

from search.export.exportable import Exportable
from search.export.model_source import source
from search.export.safetensors_file import Safetensors
from tests.search.export.networks import LINE, Make, exportables, noise
from tests.space.strategies import PROPERTY
from workers.dataset import DataSet

ALONE = (
    "import sys\n"
    "for name in ('search', 'space', 'workers', 'dashboards', 'safetensors', 'onnx', 'pandas'):\n"
    "    sys.modules[name] = None\n"
    "import torch\n"
    "from model import load, preprocess\n"
    "torch.save(load()(preprocess(torch.load('images.pt'))).detach(), 'logits.pt')\n"
)
"""A program in which nothing of ours can be imported, nor anything that we need."""


@PROPERTY
@given(model=exportables())
def test_any_network_is_written_as_code_that_gives_the_very_same_logits(model: Exportable) -> None:
    images = noise(model, 3)
    with tempfile.TemporaryDirectory() as directory:
        Safetensors().write(model, Path(directory), None)  # type: ignore[arg-type]
        found = Safetensors().run(model, Path(directory), images)
    np.testing.assert_array_equal(found, model.logits(images))


def test_it_needs_torch_alone(model: Exportable, training: DataSet, unseen: DataSet, tmp_path: Path) -> None:
    Safetensors().write(model, tmp_path, training)
    torch.save(torch.tensor(unseen.images), tmp_path / "images.pt")
    subprocess.run([sys.executable, "-c", ALONE], check=True, cwd=tmp_path)
    np.testing.assert_allclose(torch.load(tmp_path / "logits.pt"), model.logits(unseen.images), atol=1e-5)


def test_run_as_a_program_it_tells_its_parameters(model: Exportable, training: DataSet, tmp_path: Path) -> None:
    Safetensors().write(model, tmp_path, training)
    done = subprocess.run([sys.executable, str(tmp_path / "model.py")], capture_output=True, text=True, check=True)
    assert done.stdout == f"{model.candidate.parameters} parameters\n"


def test_no_name_of_a_study_breaks_the_code(make: Make, trained: Mapping[str, Tensor]) -> None:
    name = 'a\'b"c"""d\\e\n$origin é'
    namespace: dict[str, object] = {"__file__": "model.py", "__name__": "model"}
    exec(source(make(LINE, trained, study=name)), namespace)
    assert namespace["ORIGIN"] == f"candidate 7 of study {name}"


def test_nothing_is_written_that_an_older_torch_does_not_know(model: Exportable) -> None:
    lines = [line for line in source(model).splitlines() if "nn.BatchNorm" in line]
    assert lines
    assert not any("bias" in line for line in lines)
