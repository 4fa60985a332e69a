from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import SearchError, SettingsError
from search.export.staging import check, staged


def names(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.iterdir())


def test_files_stand_in_a_new_directory_with_its_parents(tmp_path: Path) -> None:
    with staged(tmp_path / "a" / "b", force=False) as scratch:
        (scratch / "model.onnx").write_text("new")
        assert names(tmp_path) == [scratch.parent.name]
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a" / "b" / "model.onnx").read_text() == "new"


def test_files_stand_in_an_empty_directory_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with staged(tmp_path / "out", force=False) as scratch:
        (scratch / "model.onnx").write_text("new")
    assert names(tmp_path / "out") == ["model.onnx"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("there", [True, False])
def test_a_block_that_fails_leaves_nothing(tmp_path: Path, there: bool, error: type[BaseException]) -> None:
    if there:
        (tmp_path / "out").mkdir()

    def fail() -> None:
        with staged(tmp_path / "out", force=False) as scratch:
            (scratch / "model.onnx").write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert [file for file in tmp_path.rglob("*") if file.name != "out"] == []
    assert (tmp_path / "out").exists() == there


def test_without_files_nothing_is_made(tmp_path: Path) -> None:
    with staged(tmp_path / "out", force=False):
        pass
    assert names(tmp_path) == []


def test_a_directory_with_files_is_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SettingsError, match=r"must be empty or not there yet, but has notes.txt; --force"):
        check(tmp_path, force=False)
    with pytest.raises(SettingsError), staged(tmp_path, force=False):
        raise AssertionError("it began")
    assert names(tmp_path) == ["notes.txt"]


def test_force_replaces_all_of_an_earlier_export_and_nothing_else(tmp_path: Path) -> None:
    for name in ("model.onnx", "model.pt2", "metrics.json", "notes.txt"):
        (tmp_path / name).write_text("old")
    with staged(tmp_path, force=True) as scratch:
        (scratch / "model.onnx").write_text("new")
    assert names(tmp_path) == ["model.onnx", "notes.txt"]
    assert (tmp_path / "model.onnx").read_text() == "new"
    assert (tmp_path / "notes.txt").read_text() == "old"


def test_an_earlier_export_stays_where_nothing_comes_of_the_new_one(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text("old")
    with staged(tmp_path, force=True):
        pass
    assert (tmp_path / "model.onnx").read_text() == "old"


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    for directory in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(SettingsError, match="must be a directory"):
            check(directory, force=True)


def test_what_the_file_system_refuses_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").mkdir()
    with (
        pytest.raises(SearchError, match="cannot be written"),
        staged(tmp_path, force=True) as scratch,
    ):
        (scratch / "model.onnx").write_text("new")
