"""What people write today to train one candidate: a DataLoader, torchvision's transforms, Adam, a process each.

The loop is that of Optuna's and Ray Tune's own PyTorch examples, with random affine maps, batch norms in training mode
and a one-cycle schedule, so that its accuracy is worth comparing. It knows nothing of petitnet but the network it is
to train, and prints one line of JSON.

    python -m benchmarks.plain_script IMAGES.npz LINE EPOCHS SEED
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from space.building import build
from space.notation import read

BATCH = 128
PEAK = 0.02
"""Highest learning rate of AdamW: the best of those measured for networks of this size (docs/experiments.md)."""


class Images(Dataset[tuple[Tensor, int]]):
    """As torchvision's own MNIST: an image becomes a PIL image, then what the transforms make of it."""

    def __init__(self, images: Any, labels: Any, transform: Callable[[Image.Image], Tensor]) -> None:
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.images[place, 0])), int(self.labels[place])


def loaders(file: Path) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Training images, shuffled and augmented, and validation images."""
    held = np.load(file)
    moments = float(held["mean"]), float(held["deviation"])
    training = Images(held["images"], held["labels"], augmented(*moments))
    validation = Images(held["held_images"], held["held_labels"], transforms.Compose(_normal(*moments)))
    return DataLoader(training, BATCH, shuffle=True, drop_last=True), DataLoader(validation, 1000)


def augmented(mean: float, deviation: float) -> Any:
    """The transform of training images."""
    affine = transforms.RandomAffine(degrees=5, translate=(1 / 28, 1 / 28), scale=(0.95, 1.05), shear=3)
    return transforms.Compose([affine, *_normal(mean, deviation)])


def _normal(mean: float, deviation: float) -> list[Any]:
    return [transforms.ToTensor(), transforms.Normalize(mean, deviation)]


def train(file: Path, line: str, epochs: int, seed: int) -> dict[str, float]:
    """Train and validate one network; seconds of the epochs alone, and the accuracy."""
    torch.manual_seed(seed)
    training, validation = loaders(file)
    network = build(read(line))
    optimiser = torch.optim.AdamW(network.parameters(), lr=PEAK, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK, epochs=epochs, steps_per_epoch=len(training))
    begun = time.monotonic()
    for _ in range(epochs):
        take_epoch(network, training, optimiser, schedule)
    seconds = time.monotonic() - begun
    network.eval()
    with torch.no_grad():
        right = sum(int((network(images).argmax(dim=1) == labels).sum()) for images, labels in validation)
    return {"epoch_seconds": seconds / epochs, "accuracy": right / len(validation.dataset)}  # type: ignore[arg-type]


def take_epoch(
    network: nn.Module,
    training: DataLoader[Any],
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    device: str = "cpu",
) -> None:
    """One epoch of the network, which is on `device`."""
    network.train()
    for images, labels in training:
        optimiser.zero_grad()
        logits = network(images.to(device, non_blocking=True))
        loss = nn.functional.cross_entropy(logits, labels.to(device, non_blocking=True), label_smoothing=0.05)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()


def main() -> None:
    """Train what the command line says, on one core."""
    torch.set_num_threads(1)
    file, line, epochs, seed = sys.argv[1:]
    print(json.dumps(train(Path(file), line, int(epochs), int(seed))))


if __name__ == "__main__":
    main()
