from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from workers.plain_recipe import PlainRecipe, Plateau, StepDecay
from workers.recipe import Augmentation

PLAIN = PlainRecipe(optimiser="sgd", learning_rate=0.1, batch=10, epochs=3)


@pytest.mark.parametrize(
    ("recipe", "validates"),
    [
        (PLAIN, False),
        (replace(PLAIN, schedule=StepDecay(factor=0.5, every=2)), False),
        (replace(PLAIN, schedule=Plateau(patience=2)), True),
        (replace(PLAIN, early_stop=2), True),
        (replace(PLAIN, restore_best=True), True),
    ],
)
def test_only_what_goes_by_validation_validates_each_epoch(recipe: PlainRecipe, validates: bool) -> None:
    assert recipe.validates == validates


def test_a_recipe_is_plain_json() -> None:
    recipe = replace(PLAIN, schedule=Plateau(patience=4), augmentation=Augmentation(), early_stop=2)
    value = asdict(recipe)

    assert json.loads(json.dumps(value)) == value
    assert value["schedule"] == {"patience": 4, "factor": 0.5, "least": 1e-4}
