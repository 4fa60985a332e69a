"""How the published networks were trained, as far as their texts say, and what is taken where they do not.

Every one of them was watched on the test set. Here a fold of the training images takes its place, so that they train on
fewer images than their authors did, and what a text reports of its best epoch becomes the epoch best in validation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from space.published import BY_NAME, PUBLISHED, Published
from workers.job import Pruning
from workers.plain_recipe import PlainRecipe, Plateau, StepDecay
from workers.recipe import Augmentation


@dataclass(frozen=True, kw_only=True)
class PublishedRecipe:
    """A published training and how far it can be repeated."""

    recipe: PlainRecipe
    pruning: Pruning | None = None
    notes: tuple[str, ...]
    """What the text does not give and was taken instead, and what cannot be repeated; each a clause for a list."""


PRUNED = Published("article-pruned", BY_NAME["article-2"].line, 2_471, 0.992)
"""article-2 after two rounds of pruning: 2,309 of 5,220 convolution weights and all other parameters are left."""

NETWORKS: tuple[Published, ...] = (*PUBLISHED, PRUNED)
"""All that there are recipes for."""

COMMON_NOTES = (
    "a fold of 10,000 training images takes the place of the test set; 50,000 are left to train on",
    "pixels are normalised with the mean and deviation of the training images, where some authors only divide by 255",
    "initial weights, epsilons and the momentum of batch norms are PyTorch's defaults, also for those made in Keras",
)
"""What holds for every recipe."""

_REDUCE = PublishedRecipe(
    recipe=PlainRecipe(optimiser="adam", learning_rate=1e-3, batch=32, epochs=10, measure="loss", early_stop=2),
    notes=(
        "the text gives the early stop (validation loss, patience 2); Adam at 0.001, batches of 32, at most 10 epochs "
        "and the weights of the last epoch are its notebook's",
    ),
)

_ARTICLE = PublishedRecipe(
    recipe=PlainRecipe(
        optimiser="adam",
        learning_rate=0.01,
        batch=125,
        epochs=40,
        schedule=Plateau(patience=4, factor=0.5),
        early_stop=10,
        restore_best=True,
    ),
    notes=(
        "the early stop's lower limit of 98 % is left out: these networks pass it within a few epochs",
        "the least gain that counts for the plateau is not given: 0.0001, as in Keras",
    ),
)

_PRUNED = replace(
    _ARTICLE,
    pruning=Pruning(keep=2_309 / 5_220, rounds=2),
    notes=(
        *_ARTICLE.notes,
        "the text prunes 20 % and then 55.77 % in all; here both rounds keep the same share of what is left",
    ),
)

_EIP = PublishedRecipe(
    recipe=PlainRecipe(optimiser="adam", learning_rate=1e-3, batch=32, epochs=10, restore_best=True),
    notes=("the optimiser is not named: Adam at 0.001",),
)

_EIP_4 = PublishedRecipe(
    recipe=PlainRecipe(
        optimiser="adam",
        learning_rate=3e-3,
        batch=128,
        epochs=60,
        schedule=StepDecay(factor=0.9, every=3, floor=5e-4),
        restore_best=True,
    ),
    notes=("the optimiser is not named: Adam", "by how much the rate falls every third epoch is not given: to 0.9"),
)

_STEPS = PublishedRecipe(
    recipe=PlainRecipe(optimiser="sgd", learning_rate=0.01, momentum=0.9, batch=128, epochs=20, restore_best=True),
    notes=(
        "the text gives no training: SGD at 0.01, momentum 0.9, batches of 128, 20 epochs",
        "it shows no layers: they are a reading that fits its parameter count",
    ),
)

_STEPS_2 = replace(_STEPS, notes=(*_STEPS.notes, "dropout is told of, but not where and how much: none"))

_STEPS_3 = replace(
    _STEPS,
    recipe=replace(
        _STEPS.recipe,
        schedule=StepDecay(factor=0.1, every=6),
        augmentation=Augmentation(rotation=7.0, scale=0.0, shift=0.0, shear=0.0),
    ),
    notes=(
        *_STEPS.notes,
        "augmentation and falls of the rate are told of, but not which: within 7 degrees, to a tenth every 6 epochs",
    ),
)

_OPTIMIZATION = PublishedRecipe(
    recipe=PlainRecipe(optimiser="sgd", learning_rate=0.01, momentum=0.9, batch=32, epochs=19, restore_best=True),
    notes=("the text gives fewer than 20 epochs and no more: SGD at 0.01, momentum 0.9, batches of 32, 19 epochs",),
)

RECIPES: dict[str, PublishedRecipe] = {
    "reduce-baseline": _REDUCE,
    "reduce-1": _REDUCE,
    "reduce-2": _REDUCE,
    "article-1": _ARTICLE,
    "article-2": _ARTICLE,
    "article-3": replace(_ARTICLE, notes=(*_ARTICLE.notes, "the accuracy is given as above 99 %")),
    "article-pruned": _PRUNED,
    "eip-1": _EIP,
    "eip-2": replace(_EIP, recipe=replace(_EIP.recipe, epochs=20)),
    "eip-3": replace(
        _EIP,
        recipe=replace(_EIP.recipe, epochs=30),
        notes=(*_EIP.notes, "the number of epochs is not given, but that the 20th was the best: 30"),
    ),
    "eip-4": _EIP_4,
    "steps-1": _STEPS,
    "steps-2": _STEPS_2,
    "steps-3": _STEPS_3,
    "optimization": _OPTIMIZATION,
}
"""By the names of NETWORKS."""
