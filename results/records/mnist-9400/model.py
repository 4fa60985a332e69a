"""1x28x28-26c3nrd0.05-dw3-33c1nrd0.05-dw3-26c1nrd0.05-P2-25c1-dw3-25c1nrd0.05-dw3-41c1nrd0.05-dw3-56c1nrd0.05-dw3-10c1n-G

9,394 trainable parameters. Written by petitnet; it needs torch alone, and model.safetensors beside it:

    from model import load, preprocess

    logits = load()(preprocess(images))  # uint8 images of shape (N, 1, 28, 28) in, logits (N, 10) out
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn

ORIGIN = "candidate 39 of study mnist-9400"
MEAN = (0.13066047627384286,)
DEVIATION = (0.3081078038564627,)
"""Of each channel of the training images, as a fraction of 255."""

_TYPES = {"F32": torch.float32, "I64": torch.int64}


def network() -> nn.Sequential:
    """The layers, with fresh weights; behind each the shape that it puts out and its parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 26, kernel_size=(3, 3), stride=(1, 1), bias=False),  # 26x26x26, 234
        nn.BatchNorm2d(26, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 26x26x26, 52
        nn.ReLU(),  # 26x26x26, 0
        nn.Dropout(p=0.05, inplace=False),  # 26x26x26, 0
        nn.Conv2d(26, 26, kernel_size=(3, 3), stride=(1, 1), groups=26, bias=False),  # 26x24x24, 234
        nn.Conv2d(26, 33, kernel_size=(1, 1), stride=(1, 1), bias=False),  # 33x24x24, 858
        nn.BatchNorm2d(33, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 33x24x24, 66
        nn.ReLU(),  # 33x24x24, 0
        nn.Dropout(p=0.05, inplace=False),  # 33x24x24, 0
        nn.Conv2d(33, 33, kernel_size=(3, 3), stride=(1, 1), groups=33, bias=False),  # 33x22x22, 297
        nn.Conv2d(33, 26, kernel_size=(1, 1), stride=(1, 1), bias=False),  # 26x22x22, 858
        nn.BatchNorm2d(26, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 26x22x22, 52
        nn.ReLU(),  # 26x22x22, 0
        nn.Dropout(p=0.05, inplace=False),  # 26x22x22, 0
        nn.MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False),  # 26x11x11, 0
        nn.Conv2d(26, 25, kernel_size=(1, 1), stride=(1, 1), bias=False),  # 25x11x11, 650
        nn.Conv2d(25, 25, kernel_size=(3, 3), stride=(1, 1), groups=25, bias=False),  # 25x9x9, 225
        nn.Conv2d(25, 25, kernel_size=(1, 1), stride=(1, 1), bias=False),  # 25x9x9, 625
        nn.BatchNorm2d(25, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 25x9x9, 50
        nn.ReLU(),  # 25x9x9, 0
        nn.Dropout(p=0.05, inplace=False),  # 25x9x9, 0
        nn.Conv2d(25, 25, kernel_size=(3, 3), stride=(1, 1), groups=25, bias=False),  # 25x7x7, 225
        nn.Conv2d(25, 41, kernel_size=(1, 1), stride=(1, 1), bias=False),  # 41x7x7, 1,025
        nn.BatchNorm2d(41, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 41x7x7, 82
        nn.ReLU(),  # 41x7x7, 0
        nn.Dropout(p=0.05, inplace=False),  # 41x7x7, 0
        nn.Conv2d(41, 41, kernel_size=(3, 3), stride=(1, 1), groups=41, bias=False),  # 41x5x5, 369
        nn.Conv2d(41, 56, kernel_size=(1, 1), stride=(1, 1), bias=False),  # 56x5x5, 2,296
        nn.BatchNorm2d(56, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 56x5x5, 112
        nn.ReLU(),  # 56x5x5, 0
        nn.Dropout(p=0.05, inplace=False),  # 56x5x5, 0
        nn.Conv2d(56, 56, kernel_size=(3, 3), stride=(1, 1), groups=56, bias=False),  # 56x3x3, 504
        nn.Conv2d(56, 10, kernel_size=(1, 1), stride=(1, 1), bias=False),  # 10x3x3, 560
        nn.BatchNorm2d(10, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 10x3x3, 20
        nn.Sequential(nn.AdaptiveAvgPool2d(output_size=1), nn.Flatten(start_dim=1, end_dim=-1)),  # 10, 0
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
