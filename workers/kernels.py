"""The loops in compiled/ (kernels.c, engine.c): built once on a machine that has a C compiler, loaded from then on."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path

import torch
from platformdirs import user_cache_path
from torch import Tensor

_FLAGS = ("-std=c11", "-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fPIC")
_WIDE = "-mprefer-vector-width=512"
"""Where compilers know it: they use half of a 512-bit unit otherwise."""
PLACES = {torch.float32: torch.int32, torch.bfloat16: torch.int16}
"""Type of the places that pools remember, by that of their elements."""
_NAMES = {torch.float32: "float32", torch.bfloat16: "bfloat16"}
_SOURCES = {
    file.name: file.read_bytes()
    for file in sorted(files("workers").joinpath("compiled").iterdir(), key=lambda file: file.name)
    if file.name.endswith((".c", ".h"))
}
VERSION = hashlib.sha256(b"\0".join([*_SOURCES.values(), *map(str.encode, _FLAGS)])).hexdigest()[:8]
MOST_CHANNELS = 512
"""Of a map that the loops take."""

_POINTER, _LONG, _INT, _FLOAT = ctypes.c_void_p, ctypes.c_long, ctypes.c_int, ctypes.c_float
_SIGNATURES = {
    "norm_forward": (_LONG, _INT, *(_POINTER,) * 3, _FLOAT, _INT, *(_POINTER,) * 3),
    "norm_backward": (_LONG, _INT, *(_POINTER,) * 6, _FLOAT, _INT, *(_POINTER,) * 3),
    "pool_forward": (_LONG, _INT, _INT, _INT, *(_POINTER,) * 3),
    "pool_backward": (_LONG, _INT, _INT, _INT, *(_POINTER,) * 3),
}


_ALONE = {"muon_step": (_INT, _INT, *(_POINTER,) * 3, _FLOAT, _FLOAT, _INT, *(_FLOAT,) * 4, _POINTER)}
"""Those that there are for float32 only."""


class Kernels:
    """The functions of a loaded library, by name and element type. Tensors must be as kernels.c wants them."""

    def __init__(self, file: Path) -> None:
        self.library = ctypes.CDLL(str(file))
        both = [(name, kind, arguments) for name, arguments in _SIGNATURES.items() for kind in _NAMES]
        self._functions = {}
        for name, kind, arguments in [*both, *((name, torch.float32, taken) for name, taken in _ALONE.items())]:
            function = getattr(self.library, f"{name}_{_NAMES[kind]}")
            function.argtypes, function.restype = arguments, None
            self._functions[name, kind] = function

    def call(self, name: str, kind: torch.dtype, *arguments: Tensor | float) -> None:
        """Call a function; tensors are handed over by their addresses."""
        self._functions[name, kind](*(one.data_ptr() if isinstance(one, Tensor) else one for one in arguments))


@cache
def load() -> Kernels | None:
    """The loops for this machine, compiled if need be; None where that cannot be done, for want of a compiler."""
    compiler = os.environ.get("CC") or shutil.which("cc") or ""
    key = hashlib.sha256("\0".join([VERSION, compiler, torch.backends.cpu.get_cpu_capability()]).encode())
    library = directory() / f"{key.hexdigest()[:32]}.so"
    try:
        if not library.exists():
            library.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not _compile(compiler, library):
                return None
        return Kernels(library)
    except (OSError, AttributeError):
        return None


def directory() -> Path:
    """Of this user alone: what lies there is run. PETITNET_KERNELS names it, or else it is in petitnet's home."""
    named, home = os.environ.get("PETITNET_KERNELS"), os.environ.get("PETITNET_HOME")
    if named:
        return Path(named).expanduser().absolute()
    return (Path(home).expanduser().absolute() if home else user_cache_path("petitnet")) / "kernels"


def _compile(compiler: str, library: Path) -> bool:
    """Whether it could be compiled; then it is there as a whole."""
    if not compiler:
        return False
    scratch = library.with_suffix(f".{os.getpid()}")
    with tempfile.TemporaryDirectory(dir=library.parent) as directory:
        for name, source in _SOURCES.items():
            (Path(directory) / name).write_bytes(source)
        codes = [str(Path(directory) / name) for name in _SOURCES if name.endswith(".c")]
        try:
            for flags in ((*_FLAGS, _WIDE), _FLAGS):
                command = [*compiler.split(), *flags, "-shared", *codes, "-o", str(scratch), "-lm"]
                if subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0:
                    scratch.replace(library)
                    return True
            return False
        except subprocess.TimeoutExpired:
            return False
        finally:
            scratch.unlink(missing_ok=True)
