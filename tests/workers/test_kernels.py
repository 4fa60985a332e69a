from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workers import kernels


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("PETITNET_KERNELS")
    kernels.load.cache_clear()
    yield
    kernels.load.cache_clear()


def test_the_loops_are_compiled_once_and_then_loaded(petitnet_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernels.load() is not None
    assert [file.suffix for file in (petitnet_home / "kernels").iterdir()] == [".so"]
    kernels.load.cache_clear()
    monkeypatch.setattr(kernels, "_compile", lambda *_: pytest.fail("compiled again"))
    assert kernels.load() is not None


@pytest.mark.parametrize("compiler", ["false", "/no/such/compiler"])
def test_without_a_compiler_that_works_there_are_none_and_nothing_is_left(
    compiler: str, petitnet_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", compiler)
    assert kernels.load() is None
    assert list((petitnet_home / "kernels").iterdir()) == []


def test_where_nothing_can_be_written_there_are_none(petitnet_home: Path) -> None:
    petitnet_home.write_text("a file")
    assert kernels.load() is None


def test_what_is_no_library_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_compile", lambda _, library: library.write_text("damaged"))
    assert kernels.load() is None


def test_they_can_be_kept_elsewhere(petitnet_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PETITNET_KERNELS", str(tmp_path / "elsewhere"))
    assert kernels.load() is not None
    assert len(list((tmp_path / "elsewhere").glob("*.so"))) == 1
    assert not petitnet_home.exists()
