from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import SearchError
from search.files import write_whole


def test_a_file_is_written_with_the_directories_it_lies_in(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "text", "wide: \N{EM DASH}")
    write_whole(tmp_path / "bytes", b"\0\1")
    assert (tmp_path / "a" / "b" / "text").read_text(encoding="utf-8") == "wide: \N{EM DASH}"
    assert (tmp_path / "bytes").read_bytes() == b"\0\1"


def test_what_cannot_be_written_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "file").write_text("kept")
    with pytest.raises(SearchError, match=r"^.*here cannot be written: Is a directory$"):
        write_whole(tmp_path / "here", "lost")
    with pytest.raises(SearchError, match=r"file/more cannot be written: (Not a directory|File exists)$"):
        write_whole(tmp_path / "here" / "file" / "more", "lost")
    assert [path.name for path in tmp_path.rglob("*")] == ["here", "file"]
    assert (tmp_path / "here" / "file").read_text() == "kept"
