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
    return affine(images, coefficients(len(images), bounds, generator))


def coefficients(count: int, bounds: Augmentation, generator: torch.Generator) -> Tensor:
    """One random affine map an image: float (count, 6), as `maps` describes them."""
    return maps(torch.empty(5, count).uniform_(-1, 1, generator=generator), bounds)


def maps(drawn: Tensor, bounds: Augmentation) -> Tensor:
    """The affine maps that numbers from -1 to 1 stand for: float (..., 5, N) drawn, (..., N, 6) found.

    They map places of the output to places of the input, both in [-1, 1] from edge to edge: what a step of 1 to the
    right comes to (x, y), a step of 1 down, and where the centre is.
    """
    turn, grow, shear, right, down = drawn.unbind(-2)
    angle = turn * math.radians(bounds.rotation)
    size = 1 + grow * bounds.scale
    cos, sin = angle.cos() / size, angle.sin() / size
    slant = shear * bounds.shear
    shift = 2 * bounds.shift  # a shift of one side is a distance of 2
    return torch.stack([cos, sin, cos * slant - sin, sin * slant + cos, right * shift, down * shift], dim=-1)


def affine(images: Tensor, maps: Tensor) -> Tensor:
    """Each image of float (N, C, H, W) by its own map of (N, 6)."""
    by_x, by_y, moved = torch.split(maps.to(images.device, images.dtype).view(-1, 1, 1, 6), 2, dim=-1)
    return functional.grid_sample(images, _grid(images, by_x, by_y, moved), padding_mode="zeros", align_corners=False)


def _grid(images: Tensor, by_x: Tensor, by_y: Tensor, moved: Tensor) -> Tensor:
    """Where each pixel of the output is taken from: float (N, H, W, 2). `affine_grid` makes a slow product of it."""
    height, width = images.shape[2:]
    x = _centres(width, images).view(1, 1, width, 1)
    y = _centres(height, images).view(1, height, 1, 1)
    return (by_x * x).add(by_y * y + moved)


def _centres(count: int, like: Tensor) -> Tensor:
    """Of pixels, in coordinates from -1 to 1 over the outer edges."""
    return (torch.arange(count, device=like.device, dtype=like.dtype) * 2 + 1) / count - 1
