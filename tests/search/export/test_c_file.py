from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from torch import Tensor

from search.export.c_file import PlainC
from search.export.exportable import Exportable
from search.export.format import ExportError
from tests.search.export.networks import LINE, Make, assert_alike, noise, with_weights
from workers.dataset import DataSet

STRICT = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-c")


@pytest.fixture(scope="module")
def written(model: Exportable, training: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C of one network; made once, read by many tests."""
    directory = tmp_path_factory.mktemp("c")
    PlainC().write(model, directory, training)
    return directory


def test_it_compiles_without_a_warning(written: Path) -> None:
    subprocess.run(["gcc", *STRICT, "model.c", "-o", "model.o"], check=True, cwd=written)


def test_its_header_serves_cpp(written: Path) -> None:
    (written / "main.cpp").write_text(
        '#include "model.h"\n'
        "int main() {\n"
        "    static model_value image[1][MODEL_CHANNELS][MODEL_HEIGHT][MODEL_WIDTH];\n"
        "    float logits[1][MODEL_CLASSES];\n"
        "    model(image, logits);\n"
        "    return MODEL_CLASSES == 10 && MODEL_HEIGHT == 8 ? 0 : 1;\n"
        "}\n"
    )
    subprocess.run(["gcc", *STRICT, "model.c", "-o", "model.o"], check=True, cwd=written)
    subprocess.run(["g++", "-Wall", "-Werror", "main.cpp", "model.o", "-lm", "-o", "main"], check=True, cwd=written)
    subprocess.run([str(written / "main")], check=True)


def test_the_stack_it_takes_is_what_the_header_says(written: Path) -> None:
    subprocess.run(["gcc", *STRICT, "-fstack-usage", "model.c", "-o", "model.o"], check=True, cwd=written)
    usage = re.search(r":model\t(\d+)\t", (written / "model.su").read_text())
    told = re.search(r"about ([\d,]+) bytes on the stack", (written / "model.h").read_text())
    assert usage is not None
    assert told is not None
    assert int(told[1].replace(",", "")) == pytest.approx(int(usage[1]), abs=256)


def test_it_allocates_nothing_and_needs_no_file(written: Path) -> None:
    assert not re.search(r"\b(malloc|calloc|fopen)\b", (written / "model.c").read_text())


def test_without_preprocessing_the_header_says_what_to_do_with_a_byte(model: Exportable, written: Path) -> None:
    rule = re.search(r"byte \* (\S+) - (\S+)\.\n", (written / "model.h").read_text())
    assert rule is not None
    (mean,), (deviation,) = model.mean, model.deviation
    for byte in (0, 100, 255):
        assert byte * float(rule[1]) - float(rule[2]) == pytest.approx((byte / 255 - mean) / deviation, abs=1e-6)


@pytest.mark.parametrize(
    ("line", "takes_bytes"),
    [
        ("3x9x7-5c2p1rn-P2-4c3pnr-G-6frn", True),
        ("1x5x5-F-4f", False),
        ("1x9x9-4c3nr-dw3pbn-6c1r-dw2-5c1-G", True),
        ("2x6x6-3c3bn-7c4b-G", False),
    ],
)
def test_other_networks_say_what_pytorch_says(
    make: Make, training: DataSet, tmp_path: Path, line: str, takes_bytes: bool
) -> None:
    model = make(line)
    channels = model.architecture.input[0]
    state = with_weights(model.architecture, 1).state_dict()
    moments = {"mean": (0.2, 0.4, 0.6)[:channels], "deviation": (0.3, 0.2, 0.1)[:channels]}
    model = replace(model, state=state, takes_bytes=takes_bytes, **moments)  # type: ignore[arg-type]
    PlainC().write(model, tmp_path, training)
    images = noise(model, 20)
    assert_alike(PlainC().run(model, tmp_path, images), model.logits(images))


def test_no_name_of_a_study_ends_the_comment(
    make: Make, trained: Mapping[str, Tensor], training: DataSet, tmp_path: Path
) -> None:
    model = make(LINE, trained, study="a */ #error no\n#error neither /*")
    PlainC().write(model, tmp_path, training)
    images = noise(model, 3)
    assert_alike(PlainC().run(model, tmp_path, images), model.logits(images))


def test_the_compiler_is_the_one_that_cc_names(
    model: Exportable, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "gcc -DMODEL_CLASSES=9 -Werror")
    with pytest.raises(ExportError, match=r"gcc failed: .*MODEL_CLASSES"):
        PlainC().run(model, written, noise(model, 1))
