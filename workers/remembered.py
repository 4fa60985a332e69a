"""Measurements of machines, kept by name in a file so that they are made once."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def recall(file: Path) -> dict[str, Any]:
    """What the file holds; nothing if it is missing or damaged."""
    try:
        found = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def remember(file: Path, key: str, value: Any) -> None:
    """Put one more into the file, as a whole: who reads it meanwhile finds the old file or the new."""
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps(recall(file) | {key: value}, indent=2) + "\n")
    scratch.replace(file)
