"""Formats by name; a package that is missing is told before anything is done."""

from __future__ import annotations

from search.errors import SettingsError
from search.export.format import Format


def find(name: str) -> Format:
    """The format of that name; SettingsError where a package or a program that it needs is missing."""
    try:
        return _make(name)
    except ImportError as error:
        extra = "c" if name == "c" else "export"
        raise SettingsError(
            f"format {name} needs petitnet[{extra}]: {error}; pip install 'petitnet[{extra}]'"
        ) from error


def _make(name: str) -> Format:
    match name:
        case "onnx":
            from search.export.onnx_file import Onnx

            return Onnx()
        case "onnx-int8":
            from search.export.int8_file import Int8Onnx

            return Int8Onnx()
        case "pt2":
            from search.export.pt2_file import ExportedProgram

            return ExportedProgram()
        case "safetensors":
            from search.export.safetensors_file import Safetensors

            return Safetensors()
        case "c":
            from search.export.c_file import PlainC

            return PlainC()
    raise AssertionError(f"no format is called {name}")
