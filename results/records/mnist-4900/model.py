"""1x28x28-4c3rn-5c3rn-P2-9c3rn-15c3rn-13c3rn-10c3rn-G

4,873 trainable parameters. Written by petitnet; it needs torch alone, and model.safetensors beside it:

    from model import load, preprocess

    logits = load()(preprocess(images))  # uint8 images of shape (N, 1, 28, 28) in, logits (N, 10) out
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn

ORIGIN = "candidate 137 of study mnist-4900"
MEAN = (0.13066047627384286,)
DEVIATION = (0.3081078038564627,)
"""Of each channel of the training images, as a fraction of 255."""

_TYPES = {"F32": torch.float32, "I64": torch.int64}


def network() -> nn.Sequential:
    """The layers, with fresh weights; behind each the shape that it puts out and its parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1), bias=False),  # 4x26x26, 36
        nn.ReLU(),  # 4x26x26, 0
        nn.BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 4x26x26, 8
        nn.Conv2d(4, 5, kernel_size=(3, 3), stride=(1, 1), bias=False),  # 5x24x24, 180
        nn.ReLU(),  # 5x24x24, 0
        nn.BatchNorm2d(5, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 5x24x24, 10
        nn.MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False),  # 5x12x12, 0
        nn.Conv2d(5, 9, kernel_size=(3, 3), stride=(1, 1), bias=False),  # 9x10x10, 405
        nn.ReLU(),  # 9x10x10, 0
        nn.BatchNorm2d(9, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 9x10x10, 18
        nn.Conv2d(9, 15, kernel_size=(3, 3), stride=(1, 1), bias=False),  # 15x8x8, 1,215
        nn.ReLU(),  # 15x8x8, 0
        nn.BatchNorm2d(15, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 15x8x8, 30
        nn.Conv2d(15, 13, kernel_size=(3, 3), stride=(1, 1), bias=False),  # 13x6x6, 1,755
        nn.ReLU(),  # 13x6x6, 0
        nn.BatchNorm2d(13, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 13x6x6, 26
        nn.Conv2d(13, 10, kernel_size=(3, 3), stride=(1, 1), bias=False),  # 10x4x4, 1,170
        nn.ReLU(),  # 10x4x4, 0
        nn.BatchNorm2d(10, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 10x4x4, 20
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
