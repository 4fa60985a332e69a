from __future__ import annotations

from pathlib import Path

import pytest

from workers.remembered import recall, remember


def test_what_was_remembered_is_recalled(tmp_path: Path) -> None:
    file = tmp_path / "not" / "there" / "kept.json"
    assert recall(file) == {}
    remember(file, "one", 1)
    remember(file, "two", {"three": [4]})
    remember(file, "one", 5)

    assert recall(file) == {"one": 5, "two": {"three": [4]}}
    assert [found.name for found in file.parent.iterdir()] == ["kept.json"]


@pytest.mark.parametrize("damaged", [b"", b'{"one": ', b"\xff\xfe\x00", b"[1, 2]", b"null", b"7"], ids=repr)
def test_a_damaged_file_holds_nothing(damaged: bytes, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    file.write_bytes(damaged)
    assert recall(file) == {}
    remember(file, "one", 1)
    assert recall(file) == {"one": 1}
