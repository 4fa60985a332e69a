"""One contract for every format."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from search.errors import SettingsError
from search.export import formats
from search.export.exportable import Exportable
from search.export.format import ExportError, Format
from search.export.names import FORMATS
from search.export.parity import Parity, compare
from workers.dataset import DataSet

FLOAT = tuple(name for name in FORMATS if name != "onnx-int8")

ALONE = """
import runpy
import sys

for name in ("search", "space", "workers", "dashboards", "safetensors", "onnx", "pandas"):
    sys.modules[name] = None
import torch

sys.path.insert(0, ".")
runpy.run_path("model.py", run_name="__main__")
from model import load, preprocess

images = torch.load("images.pt")
with torch.no_grad():
    torch.save([load()(preprocess(images)), torch.export.load("model.pt2").module()(images)], "logits.pt")
"""
"""A program in which nothing of ours can be imported, nor what we need beside torch."""


@pytest.fixture(params=FORMATS)
def one(request: pytest.FixtureRequest) -> Format:
    return formats.find(request.param)


@pytest.fixture(params=[False, True], ids=["float", "bytes"])
def either(request: pytest.FixtureRequest, model: Exportable) -> Exportable:
    """Without and with preprocessing inside."""
    return replace(model, takes_bytes=request.param)


def test_real_images_are_taken_for_what_pytorch_takes_them_for(
    one: Format, either: Exportable, training: DataSet, unseen: DataSet, tmp_path: Path
) -> None:
    one.write(either, tmp_path, training)
    found = one.run(either, tmp_path, unseen.images)
    expected = either.logits(unseen.images)
    parity = compare(found, expected, unseen.labels, 0.01 if one.may_lose else None)
    assert isinstance(parity, Parity), parity
    assert parity.accuracy > 0.9
    assert parity.equal > 0.98 * parity.images
    assert one.may_lose or parity.difference < 1e-4
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(one.files)


def test_the_same_network_gives_the_same_files_and_none_names_this_machine(
    one: Format, model: Exportable, training: DataSet, tmp_path: Path
) -> None:
    written = []
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        one.write(model, tmp_path / place, training)
        written.append([(tmp_path / place / name).read_bytes() for name in one.files])
    assert written[0] == written[1]
    for content in written[0]:
        for path in (tmp_path, sys.prefix, Path(__file__).parents[3], Path.home() / "x"):
            assert str(path).removesuffix("x").encode() not in content


def test_a_damaged_file_is_an_export_error(one: Format, model: Exportable, training: DataSet, tmp_path: Path) -> None:
    one.write(model, tmp_path, training)
    file = tmp_path / one.files[0]
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ExportError):
        one.run(model, tmp_path, np.zeros((2, 1, 8, 8), np.uint8))


@pytest.mark.parametrize("name", FLOAT)
def test_the_accuracy_that_counts_is_that_of_float32(name: str) -> None:
    assert formats.find(name).may_lose is None


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("onnx", "onnx", "export"), ("onnx-int8", "onnxruntime", "export"), ("c", "emx_onnx_cgen", "c")],
)
def test_a_missing_package_is_one_line_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    for module in [module for module in sys.modules if module.startswith(("search.export.", f"{package}."))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SettingsError) as refused:
        formats.find(name)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"format {name} needs petitnet[{extra}]: ")
    assert line.endswith(f"pip install 'petitnet[{extra}]'")


@pytest.mark.parametrize(("variable", "value", "said"), [("CC", "nosuchcc -m32", "nosuchcc"), ("PATH", "", "gcc")])
def test_without_a_compiler_c_is_refused_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"needs a C compiler .* found none of .*{said}"):
        formats.find("c")


def test_what_is_shipped_for_torch_needs_nothing_of_ours(
    model: Exportable, training: DataSet, unseen: DataSet, tmp_path: Path
) -> None:
    formats.find("safetensors").write(model, tmp_path, training)
    formats.find("pt2").write(replace(model, takes_bytes=True), tmp_path, training)
    torch.save(torch.tensor(unseen.images), tmp_path / "images.pt")
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.stderr, done.stdout) == ("", f"{model.candidate.parameters} parameters\n")
    for logits in torch.load(tmp_path / "logits.pt"):
        np.testing.assert_allclose(logits, model.logits(unseen.images), atol=1e-4)
