from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from workers import numerics
from workers.numerics import COMPILED, Numerics, device, fastest


@pytest.fixture(autouse=True)
def short_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_STEPS", "_ROUNDS", "_BATCH"):
        monkeypatch.setattr(numerics, name, 2)


def other(found: Numerics) -> Numerics:
    return Numerics(bfloat16=not found.bfloat16, channels_last=not found.channels_last)


def test_measured_once_and_then_read(tmp_path: Path) -> None:
    cache = tmp_path / "not" / "there" / "numerics.json"
    found = fastest(cache)
    known = json.loads(cache.read_text())
    machine = next(iter(known))

    assert known == {machine: asdict(found)}
    assert f"torch {torch.__version__}" in machine
    cache.write_text(json.dumps({machine: asdict(other(found))}))
    assert fastest(cache) == other(found)
    assert [file.name for file in cache.parent.iterdir()] == ["numerics.json"]


def test_other_machines_are_kept(tmp_path: Path) -> None:
    cache = tmp_path / "numerics.json"
    elsewhere = {"another machine": asdict(Numerics(bfloat16=True))}
    cache.write_text(json.dumps(elsewhere))
    found = fastest(cache)
    known = json.loads(cache.read_text())

    assert len(known) == 2
    assert known.items() > elsewhere.items()
    assert asdict(found) in known.values()


@pytest.mark.parametrize(
    "damaged", [b"", b'{"a machine": {"bfloat', b"\xff\xfe\x00", b"[1, 2]", b"null", b"7"], ids=repr
)
def test_a_damaged_cache_is_measured_again(damaged: bytes, tmp_path: Path) -> None:
    cache = tmp_path / "numerics.json"
    cache.write_bytes(damaged)
    found = fastest(cache)

    assert list(json.loads(cache.read_text()).values()) == [asdict(found)]
    assert fastest(cache) == found


@pytest.mark.parametrize("damaged", [{"float8": True}, [True, False], None])
def test_a_damaged_entry_is_measured_again(damaged: object, tmp_path: Path) -> None:
    cache = tmp_path / "numerics.json"
    fastest(cache)
    machine = next(iter(json.loads(cache.read_text())))
    cache.write_text(json.dumps({machine: damaged}))
    found = fastest(cache)

    assert json.loads(cache.read_text()) == {machine: asdict(found)}


def test_measuring_leaves_the_threads_alone(tmp_path: Path) -> None:
    torch.set_num_threads(2)
    fastest(tmp_path / "numerics.json")

    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("choice", "text", "layout"),
    [
        (Numerics(), "float32, channels first", torch.contiguous_format),
        (Numerics(bfloat16=True), "bfloat16, channels first", torch.contiguous_format),
        (Numerics(channels_last=True), "float32, channels last", torch.channels_last),
        (Numerics(bfloat16=True, channels_last=True), "bfloat16, channels last", torch.channels_last),
        (Numerics(False, True, True), "float32, channels last, compiled norms and pools", torch.channels_last),
        (COMPILED, "float32, whole steps compiled", torch.channels_last),
    ],
)
def test_numerics_describe_themselves(choice: Numerics, text: str, layout: torch.memory_format) -> None:
    assert (str(choice), choice.layout) == (text, layout)


@pytest.mark.parametrize("choice", [Numerics(True, True), Numerics(True, True, True), COMPILED])
def test_plain_trainings_are_in_float32_and_compiled_where_anything_is(choice: Numerics) -> None:
    assert choice.for_plain == (COMPILED if choice.fused else Numerics(channels_last=True))


def test_the_device_is_there() -> None:
    assert torch.ones(1, device=device()).item() == 1
