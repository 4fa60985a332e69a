from __future__ import annotations

import pytest
import torch
from torch import Tensor

from workers.augmentation import random_affine
from workers.recipe import Augmentation

SIDE = 16


def bounds(rotation: float = 0, scale: float = 0, shift: float = 0, shear: float = 0) -> Augmentation:
    return Augmentation(rotation=rotation, scale=scale, shift=shift, shear=shear)


def augmented(images: Tensor, augmentation: Augmentation, seed: int = 0) -> Tensor:
    return random_affine(images, augmentation, torch.Generator().manual_seed(seed))


def blob(count: int) -> Tensor:
    """Images of one soft round spot at their centre."""
    place = torch.arange(SIDE) - (SIDE - 1) / 2
    line = torch.exp(-place.square() / 8)
    return (line[:, None] * line[None, :]).expand(count, 1, SIDE, SIDE).clone()


def centres(images: Tensor) -> Tensor:
    """(N, 2): the centre of mass of each image from the middle, in rows and columns."""
    place = torch.arange(SIDE) - (SIDE - 1) / 2
    mass = images.sum(dim=(1, 2, 3))
    rows = (images.sum(dim=(1, 3)) * place).sum(dim=1) / mass
    columns = (images.sum(dim=(1, 2)) * place).sum(dim=1) / mass
    return torch.stack([rows, columns], dim=1)


@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (5, 3, 8, 8), (5, 2, 9, 14)])
def test_no_bounds_change_nothing(shape: tuple[int, ...]) -> None:
    images = torch.rand(shape)

    torch.testing.assert_close(augmented(images, bounds()), images, rtol=0, atol=1e-4)


def test_the_generator_gives_the_images() -> None:
    images = torch.rand(6, 3, 12, 12)
    torch.manual_seed(0)
    first = augmented(images, Augmentation())
    torch.manual_seed(1)

    assert torch.equal(first, augmented(images, Augmentation()))
    assert not torch.equal(first, augmented(images, Augmentation(), seed=1))


def test_the_generator_goes_on() -> None:
    generator = torch.Generator().manual_seed(0)
    images = blob(4)

    assert not torch.equal(
        random_affine(images, Augmentation(), generator), random_affine(images, Augmentation(), generator)
    )


@pytest.mark.parametrize(
    "augmentation", [bounds(rotation=30), bounds(scale=0.3), bounds(shift=0.2), bounds(shear=0.3)], ids=str
)
def test_every_image_is_changed_in_its_own_way(augmentation: Augmentation) -> None:
    images = torch.rand(1, 1, SIDE, SIDE).expand(8, 1, SIDE, SIDE)
    changed = augmented(images, augmentation)

    assert len({image.numpy().tobytes() for image in changed}) == 8


def test_all_channels_of_an_image_move_together() -> None:
    colours = torch.tensor([1.0, 0.5, 0.25]).view(1, 3, 1, 1)
    changed = augmented(blob(6) * colours, Augmentation())

    torch.testing.assert_close(changed, changed[:, :1] * colours)
    assert changed.shape == (6, 3, SIDE, SIDE)


def test_what_comes_in_from_outside_is_zero() -> None:
    changed = augmented(torch.ones(64, 1, SIDE, SIDE), bounds(shift=0.5))

    assert changed.min() == 0
    assert changed.max() <= 1 + 1e-6
    corners = changed[:, 0, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners.min(dim=1).values < 0.999).all()  # every image left at least one corner behind


def test_the_input_is_left_alone() -> None:
    images = blob(3)
    augmented(images, Augmentation())

    assert torch.equal(images, blob(3))


def test_shifts_fill_their_bounds_evenly() -> None:
    moved = centres(augmented(blob(400), bounds(shift=0.1)))

    assert moved.abs().max() <= 0.1 * SIDE + 0.05
    assert moved.abs().max(dim=0).values.min() > 0.09 * SIDE
    assert moved.mean(dim=0).abs().max() < 0.2
    # The standard deviation of a uniform variable is its half-width over the root of 3.
    assert moved.std(dim=0).tolist() == pytest.approx([0.1 * SIDE / 3**0.5] * 2, rel=0.1)
    assert torch.corrcoef(moved.T)[0, 1].abs() < 0.15


@pytest.mark.parametrize("axis", [2, 3])
def test_a_shift_by_whole_pixels_moves_pixels(axis: int) -> None:
    """The shift that a seed gives is measured, then its bound is set so that it becomes 3 pixels."""
    draw = centres(augmented(blob(1), bounds(shift=0.1)))[0, axis - 2].item() / 0.1
    bar = torch.zeros(1, 1, SIDE, SIDE)
    bar.select(axis, 8).fill_(1)
    moved = augmented(bar, bounds(shift=3 / abs(draw)))
    lines = moved.amax(dim=5 - axis).flatten()

    expected = torch.zeros(SIDE)
    expected[11 if draw > 0 else 5] = 1
    torch.testing.assert_close(lines, expected, rtol=0, atol=0.02)


def test_scales_change_the_area_within_their_bounds() -> None:
    areas = augmented(blob(300), bounds(scale=0.2)).sum(dim=(1, 2, 3)) / blob(1).sum()

    assert 0.8**2 - 0.02 < areas.min() < 0.7
    assert 1.38 < areas.max() < 1.2**2 + 0.02


def tilts(images: Tensor) -> Tensor:
    """Degrees by which the long axis of each image's mass is turned."""
    place = torch.arange(SIDE) - (SIDE - 1) / 2
    rows, columns = place.view(1, 1, -1, 1), place.view(1, 1, 1, -1)
    covariance = (images * rows * columns).sum(dim=(1, 2, 3))
    spread = (images * (columns.square() - rows.square())).sum(dim=(1, 2, 3))
    return torch.rad2deg(torch.atan2(2 * covariance, spread) / 2)


def bar(count: int) -> Tensor:
    """Images of a soft horizontal bar through the centre."""
    place = torch.arange(SIDE) - (SIDE - 1) / 2
    bar = torch.exp(-place.square() / 2)[:, None] * torch.exp(-place.square() / 12)[None, :]
    return bar.expand(count, 1, SIDE, SIDE).clone()


def test_rotations_turn_within_their_bounds() -> None:
    changed = augmented(bar(300), bounds(rotation=20))
    turned = tilts(changed)

    assert turned.abs().max().item() == pytest.approx(20, abs=1.5)
    assert turned.min() < -18
    assert centres(changed).abs().max() < 0.05
    assert changed.sum(dim=(1, 2, 3)).tolist() == pytest.approx([bar(1).sum().item()] * 300, rel=0.03)


def test_shears_slant_columns_and_keep_rows() -> None:
    upright = bar(300).transpose(2, 3)
    changed = augmented(upright, bounds(shear=0.3))
    place = torch.arange(SIDE) - (SIDE - 1) / 2
    mass = changed.sum(dim=3)[:, 0]
    middles = (changed[:, 0] * place).sum(dim=2) / mass
    slants = (middles[:, 10] - middles[:, 5]) / 5  # pixels sideways for each pixel down

    torch.testing.assert_close(mass, upright.sum(dim=3)[:, 0], rtol=0.02, atol=0.02)
    assert slants.abs().max().item() == pytest.approx(0.3, abs=0.02)
    assert slants.min() < -0.27


def test_double_precision_stays_double() -> None:
    assert augmented(blob(2).double(), Augmentation()).dtype == torch.float64
