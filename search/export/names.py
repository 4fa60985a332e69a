"""The formats that a network is exported to, and the files of each."""

from __future__ import annotations

FORMATS: dict[str, tuple[str, ...]] = {
    "onnx": ("model.onnx",),
    "onnx-int8": ("model.int8.onnx",),
    "pt2": ("model.pt2",),
    "safetensors": ("model.safetensors", "model.py"),
    "c": ("model.c", "model.h"),
}
USUAL = tuple(name for name in FORMATS if name != "c")
"""Written where no format is asked for: C needs a package more and a compiler."""

METRICS = "metrics.json"
CARD = "README.md"

ALL_FILES = (*(file for files in FORMATS.values() for file in files), METRICS, CARD)
"""Every file that an export may write, and so may replace."""
