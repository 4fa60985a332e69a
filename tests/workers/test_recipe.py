from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from workers.recipe import Augmentation, Recipe, default_recipe, from_json


@pytest.mark.parametrize(
    ("images", "batch"),
    [(50_000, 128), (240_000, 128), (1_248, 16), (12, 16), (20_000, 51)],
)
def test_few_images_come_in_smaller_batches(images: int, batch: int) -> None:
    assert default_recipe(4, images) == Recipe(epochs=4, batch=batch)


@pytest.mark.parametrize(("budget", "smoothing"), [(1_500, 0.0), (2_500, 0.0), (2_501, 0.05), (20_000, 0.05)])
def test_small_networks_are_trained_without_label_smoothing(budget: int, smoothing: float) -> None:
    assert default_recipe(16, 50_000, budget) == Recipe(epochs=16, smoothing=smoothing)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(epochs=1),
        Recipe(epochs=16, batch=32, peak=0.1, momentum=0.8, other_peak=0.01, warmup=0.3, smoothing=0.0),
        Recipe(epochs=4, augmentation=Augmentation(rotation=0, scale=0.5, shift=0.25, shear=0)),
    ],
)
def test_json_round_trip(recipe: Recipe) -> None:
    assert from_json(json.loads(json.dumps(asdict(recipe)))) == recipe
