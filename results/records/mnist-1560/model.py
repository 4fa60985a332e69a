"""1x28x28-9c3rn-dw3-11c1rn-P2-dw3-12c1rn-dw3-27c1rn-dw3-10c1-G

1,555 trainable parameters. Written by petitnet; it needs torch alone, and model.safetensors beside it:

    from model import load, preprocess

    logits = load()(preprocess(images))  # uint8 images of shape (N, 1, 28, 28) in, logits (N, 10) out
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn

ORIGIN = "candidate 69 of study mnist-1560"
MEAN = (0.13066047627384286,)
DEVIATION = (0.3081078038564627,)
"""Of each channel of the training images, as a fraction of 255."""

_TYPES = {"F32": torch.float32, "I64": torch.int64}


def network() -> nn.Sequential:
    """The layers, with fresh weights; behind each the shape that it puts out and its parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 9, kernel_size=(3, 3), stride=(1, 1), bias=False),  # 9x26x26, 81
        nn.ReLU(),  # 9x26x26, 0
        nn.BatchNorm2d(9, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 9x26x26, 18
        nn.Conv2d(9, 9, kernel_size=(3, 3), stride=(1, 1), groups=9, bias=False),  # 9x24x24, 81
        nn.Conv2d(9, 11, kernel_size=(1, 1), stride=(1, 1), bias=False),  # 11x24x24, 99
        nn.ReLU(),  # 11x24x24, 0
        nn.BatchNorm2d(11, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 11x24x24, 22
        nn.MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False),  # 11x12x12, 0
        nn.Conv2d(11, 11, kernel_size=(3, 3), stride=(1, 1), groups=11, bias=False),  # 11x10x10, 99
        nn.Conv2d(11, 12, kernel_size=(1, 1), stride=(1, 1), bias=False),  # 12x10x10, 132
        nn.ReLU(),  # 12x10x10, 0
        nn.BatchNorm2d(12, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 12x10x10, 24
        nn.Conv2d(12, 12, kernel_size=(3, 3), stride=(1, 1), groups=12, bias=False),  # 12x8x8, 108
        nn.Conv2d(12, 27, kernel_size=(1, 1), stride=(1, 1), bias=False),  # 27x8x8, 324
        nn.ReLU(),  # 27x8x8, 0
        nn.BatchNorm2d(27, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 27x8x8, 54
        nn.Conv2d(27, 27, kernel_size=(3, 3), stride=(1, 1), groups=27, bias=False),  # 27x6x6, 243
        nn.Conv2d(27, 10, kernel_size=(1, 1), stride=(1, 1), bias=False),  # 10x6x6, 270
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
