"""Random affine maps, one for each image, applied to a whole batch at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from workers.recipe import Augmentation


def random_affine(images: Tensor, bounds: Augmentation, generator: torch.Generator) -> Tensor:
    """Images moved, turned, scaled and sheared each in its own way, bilinearly; what comes in from outside is 0.

    `images` is float (N, C, H, W); the result is like it. Draws come from `generator`, on the CPU.
    """
    count = len(images)
    turn, grow, shear, right, down = torch.empty(5, count).uniform_(-1, 1, generator=generator)
    angle = turn * math.radians(bounds.rotation)
    size = 1 + grow * bounds.scale
    cos, sin = angle.cos() / size, angle.sin() / size
    slant = shear * bounds.shear
    # Rows of the map from output to input coordinates, both in [-1, 1]: a shift of one side is a distance of 2.
    by_x, by_y = torch.stack([cos, sin], dim=1), torch.stack([cos * slant - sin, sin * slant + cos], dim=1)
    moved = torch.stack([right, down], dim=1) * (2 * bounds.shift)
    coefficients = (part.to(images.device, images.dtype).view(count, 1, 1, 2) for part in (by_x, by_y, moved))
    return functional.grid_sample(images, _grid(images, *coefficients), padding_mode="zeros", align_corners=False)


def _grid(images: Tensor, by_x: Tensor, by_y: Tensor, moved: Tensor) -> Tensor:
    """Where each pixel of the output is taken from: float (N, H, W, 2). `affine_grid` makes a slow product of it."""
    height, width = images.shape[2:]
    x = _centres(width, images).view(1, 1, width, 1)
    y = _centres(height, images).view(1, height, 1, 1)
    return (by_x * x).add(by_y * y + moved)


def _centres(count: int, like: Tensor) -> Tensor:
    """Of pixels, in coordinates from -1 to 1 over the outer edges."""
    return (torch.arange(count, device=like.device, dtype=like.dtype) * 2 + 1) / count - 1
