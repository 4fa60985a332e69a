"""1x28x28-6c3brn-8c3brn-9c3brn-12c1brn-P2-13c3brn-14c3brn-15c3brn-16c1brn-17c3brn-10c1b-G

9,372 trainable parameters. Written by petitnet; it needs torch alone, and model.safetensors beside it:

    from model import load, preprocess

    logits = load()(preprocess(images))  # uint8 images of shape (N, 1, 28, 28) in, logits (N, 10) out
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn

ORIGIN = "candidate 56 of study mnist-9400"
MEAN = (0.13066047627384286,)
DEVIATION = (0.3081078038564627,)
"""Of each channel of the training images, as a fraction of 255."""

_TYPES = {"F32": torch.float32, "I64": torch.int64}


def network() -> nn.Sequential:
    """The layers, with fresh weights; behind each the shape that it puts out and its parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=(3, 3), stride=(1, 1)),  # 6x26x26, 60
        nn.ReLU(),  # 6x26x26, 0
        nn.BatchNorm2d(6, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 6x26x26, 12
        nn.Conv2d(6, 8, kernel_size=(3, 3), stride=(1, 1)),  # 8x24x24, 440
        nn.ReLU(),  # 8x24x24, 0
        nn.BatchNorm2d(8, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 8x24x24, 16
        nn.Conv2d(8, 9, kernel_size=(3, 3), stride=(1, 1)),  # 9x22x22, 657
        nn.ReLU(),  # 9x22x22, 0
        nn.BatchNorm2d(9, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 9x22x22, 18
        nn.Conv2d(9, 12, kernel_size=(1, 1), stride=(1, 1)),  # 12x22x22, 120
        nn.ReLU(),  # 12x22x22, 0
        nn.BatchNorm2d(12, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 12x22x22, 24
        nn.MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False),  # 12x11x11, 0
        nn.Conv2d(12, 13, kernel_size=(3, 3), stride=(1, 1)),  # 13x9x9, 1,417
        nn.ReLU(),  # 13x9x9, 0
        nn.BatchNorm2d(13, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 13x9x9, 26
        nn.Conv2d(13, 14, kernel_size=(3, 3), stride=(1, 1)),  # 14x7x7, 1,652
        nn.ReLU(),  # 14x7x7, 0
        nn.BatchNorm2d(14, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 14x7x7, 28
        nn.Conv2d(14, 15, kernel_size=(3, 3), stride=(1, 1)),  # 15x5x5, 1,905
        nn.ReLU(),  # 15x5x5, 0
        nn.BatchNorm2d(15, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 15x5x5, 30
        nn.Conv2d(15, 16, kernel_size=(1, 1), stride=(1, 1)),  # 16x5x5, 256
        nn.ReLU(),  # 16x5x5, 0
        nn.BatchNorm2d(16, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 16x5x5, 32
        nn.Conv2d(16, 17, kernel_size=(3, 3), stride=(1, 1)),  # 17x3x3, 2,465
        nn.ReLU(),  # 17x3x3, 0
        nn.BatchNorm2d(17, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True),  # 17x3x3, 34
        nn.Conv2d(17, 10, kernel_size=(1, 1), stride=(1, 1)),  # 10x3x3, 180
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
