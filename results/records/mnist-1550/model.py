"""1x28x28-6c3nr-3c3nr-P2-5c2nr-10c2nr-5c2nr-P2-Fd0.05-10f

1,534 trainable parameters. Written by petitnet; it needs torch alone, and model.safetensors beside it:

    from model import load, preprocess

    logits = load()(preprocess(images))  # uint8 images of shape (N, 1, 28, 28) in, logits (N, 10) out
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn

ORIGIN = "candidate 138 of study mnist-1550"
MEAN = (0.13066047627384286,)
DEVIATION = (0.3081078038564627,)
"""Of each channel of the training images, as a fraction of 255."""

_TYPES = {"F32": torch.float32, "I64": torch.int64}


def network() -> nn.Sequential:
    """The layers, with fresh weights; behind each the shape that it puts out and its parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=(3, 3), stride=(1, 1), bias=False),  # 6x26x26, 54
        nn.BatchNorm2d(6, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 6x26x26, 12
        nn.ReLU(),  # 6x26x26, 0
        nn.Conv2d(6, 3, kernel_size=(3, 3), stride=(1, 1), bias=False),  # 3x24x24, 162
        nn.BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 3x24x24, 6
        nn.ReLU(),  # 3x24x24, 0
        nn.MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False),  # 3x12x12, 0
        nn.Conv2d(3, 5, kernel_size=(2, 2), stride=(1, 1), bias=False),  # 5x11x11, 60
        nn.BatchNorm2d(5, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 5x11x11, 10
        nn.ReLU(),  # 5x11x11, 0
        nn.Conv2d(5, 10, kernel_size=(2, 2), stride=(1, 1), bias=False),  # 10x10x10, 200
        nn.BatchNorm2d(10, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 10x10x10, 20
        nn.ReLU(),  # 10x10x10, 0
        nn.Conv2d(10, 5, kernel_size=(2, 2), stride=(1, 1), bias=False),  # 5x9x9, 200
        nn.BatchNorm2d(5, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 5x9x9, 10
        nn.ReLU(),  # 5x9x9, 0
        nn.MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False),  # 5x4x4, 0
        nn.Flatten(start_dim=1, end_dim=-1),  # 80, 0
        nn.Dropout(p=0.05, inplace=False),  # 80, 0
        nn.Linear(in_features=80, out_features=10, bias=False),  # 10, 800
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
    """uint8 (N, 1, 28, 28) in, what the network was trained on out: (byte / 255 - mean) / deviation a channel."""
    mean, deviation = torch.tensor(MEAN).view(1, -1, 1, 1), torch.tensor(DEVIATION).view(1, -1, 1, 1)
    return images * (1 / (255 * deviation)) - mean / deviation


if __name__ == "__main__":
    print(sum(parameter.numel() for parameter in load().parameters()), "parameters")
