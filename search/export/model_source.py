"""The text of model.py: a network in plain PyTorch with a reader of its weights; it needs torch and nothing else."""

from __future__ import annotations

import json
from string import Template

from torch import nn

from search.export.exportable import Exportable
from space.building import build
from space.layers import describe
from space.notation import write

_TEXT = Template('''\
"""$line

$parameters. Written by petitnet; it needs torch alone, and model.safetensors beside it:

    from model import load, preprocess

    logits = load()(preprocess(images))  # uint8 images of shape (N, $image) in, logits (N, $classes) out
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn

ORIGIN = $origin
MEAN = $mean
DEVIATION = $deviation
"""Of each channel of the training images, as a fraction of 255."""

_TYPES = {"F32": torch.float32, "I64": torch.int64}


def network() -> nn.Sequential:
    """The layers, with fresh weights; behind each the shape that it puts out and its parameters."""
    return nn.Sequential(
$layers
    )


def load(file: Path = Path(__file__).with_name("model.safetensors")) -> nn.Sequential:
    """The trained network, ready to be asked."""
    trained = network()
    trained.load_state_dict(read_weights(file))
    return trained.eval()


def read_weights(file: Path) -> dict[str, Tensor]:
    """What a safetensors file holds: the length of a JSON header in 8 bytes, the header, then the bare numbers."""
    stored = file.read_bytes()
    begin = 8 + int.from_bytes(stored[:8], "little")
    weights = {}
    for name, entry in json.loads(stored[8:begin]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            numbers = bytearray(stored[begin + first : begin + last])
            weights[name] = torch.frombuffer(numbers, dtype=_TYPES[entry["dtype"]]).reshape(entry["shape"])
    return weights


def preprocess(images: Tensor) -> Tensor:
    """uint8 (N, $image) in, what the network was trained on out: (byte / 255 - mean) / deviation a channel."""
    mean, deviation = torch.tensor(MEAN).view(1, -1, 1, 1), torch.tensor(DEVIATION).view(1, -1, 1, 1)
    return images * (1 / (255 * deviation)) - mean / deviation


if __name__ == "__main__":
    print(sum(parameter.numel() for parameter in load().parameters()), "parameters")
''')


def source(model: Exportable) -> str:
    """The text of model.py."""
    architecture = model.architecture
    return _TEXT.substitute(
        line=write(architecture),
        parameters=model.parameters,
        image=", ".join(map(str, architecture.input)),
        classes=architecture.classes,
        origin=json.dumps(f"candidate {model.candidate.number} of study {model.study}"),
        mean=repr(model.mean),
        deviation=repr(model.deviation),
        layers=_layers(model),
    )


def _layers(model: Exportable) -> str:
    rows, modules = model.architecture.rows(), build(model.architecture)
    return "\n".join(
        f"        {_code(module)},  # {describe(row.shape)}, {row.parameters:,}"
        for row, module in zip(rows, modules, strict=True)
    )


def _code(module: nn.Module) -> str:
    """What a module says of itself is the call that makes it, less a default that torch before 2.14 does not know."""
    children = list(module.children())
    if children:
        return f"nn.Sequential({', '.join(map(_code, children))})"
    return f"nn.{module!r}".replace(", bias=True", "")
