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
    maps = torch.stack(
        [cos, cos * slant - sin, right * 2 * bounds.shift, sin, sin * slant + cos, down * 2 * bounds.shift], dim=1
    )
    maps = maps.view(count, 2, 3).to(images.device, images.dtype)
    grid = functional.affine_grid(maps, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="zeros", align_corners=False)
