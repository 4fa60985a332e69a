"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from search.errors import SearchError


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file, and the directories it lies in, or leave what was there; SearchError where it cannot be written."""
    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(content.encode() if isinstance(content, str) else content)
        scratch.replace(file)
    except OSError as error:
        with suppress(OSError):
            scratch.unlink()
        raise SearchError(f"{file} cannot be written: {error.strerror}") from error
