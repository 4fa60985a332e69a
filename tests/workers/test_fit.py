from __future__ import annotations

import time

import pytest
import torch

from space.building import build
from space.notation import read
from workers.dataset import DataSet
from workers.fit import carry_out
from workers.job import Failed, Fit, Fitted, Pruning
from workers.numerics import Numerics
from workers.plain_recipe import PlainRecipe
from workers.pruning import global_masks, keep_per_round, nonzero
from workers.recipe import Recipe
from workers.training import Batches, batches, begin, fit
from workers.weights import unpack

LINE = "1x8x8-6c3pnr-P2-6c3pnr-3c3p-G"
OURS = Recipe(epochs=2, batch=12)
PLAIN = PlainRecipe(optimiser="adam", learning_rate=0.01, batch=12, epochs=2)


def task(recipe: Recipe | PlainRecipe = OURS, fold: int | None = None, pruning: Pruning | None = None) -> Fit:
    return Fit(key="one", line=LINE, recipe=recipe, seed=7, fold=fold, pruning=pruning)


def on_cpu(data: DataSet, fold: int | None = None) -> Batches:
    return batches(data, fold, Numerics(), torch.device("cpu"))


def fitted(wanted: Fit, data: DataSet) -> Fitted:
    outcome = carry_out(wanted, on_cpu(data, wanted.fold))
    assert isinstance(outcome, Fitted)
    return outcome


@pytest.mark.parametrize("recipe", [OURS, PLAIN])
def test_all_images_are_trained_on_unless_a_fold_is_held_out(few: DataSet, recipe: Recipe | PlainRecipe) -> None:
    (whole,) = fitted(task(recipe), few).stages
    (most,) = fitted(task(recipe, fold=1), few).stages
    assert whole.accuracy is None
    assert most.accuracy is not None
    assert whole.weights != most.weights
    build(read(LINE)).load_state_dict(unpack(whole.weights))


def test_the_seed_gives_the_weights(few: DataSet) -> None:
    assert fitted(task(), few).stages == fitted(task(), few).stages


@pytest.mark.parametrize("recipe", [OURS, PLAIN])
def test_each_round_of_pruning_leaves_its_share(few: DataSet, recipe: Recipe | PlainRecipe) -> None:
    stages = fitted(task(recipe, pruning=Pruning(keep=0.25, rounds=2)), few).stages
    architecture = read(LINE)
    convolutions = 6 * 9 + 6 * 6 * 9 + 3 * 6 * 9
    others = architecture.totals.parameters - convolutions
    left = [nonzero(architecture, unpack(stage.weights)) for stage in stages]
    assert left == [convolutions + others, convolutions // 2 + others, convolutions // 4 + others]


def test_a_round_begins_from_the_initial_weights(few: DataSet) -> None:
    pruning = Pruning(keep=0.5, rounds=1)
    _, pruned = fitted(task(pruning=pruning), few).stages
    network, generator = begin(read(LINE), on_cpu(few), 7)
    initial = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    fit(network, on_cpu(few), OURS, generator)
    masks = global_masks(network, keep_per_round(0.5, 1))
    network.load_state_dict(initial)
    fit(network, on_cpu(few), OURS, generator, masks=masks)
    found = unpack(pruned.weights)
    for name, tensor in network.state_dict().items():
        assert torch.equal(found[name], tensor), name


def test_a_training_that_fails_or_takes_too_long_is_a_value(few: DataSet) -> None:
    diverging = PlainRecipe(optimiser="sgd", learning_rate=1e20, batch=12, epochs=3)
    assert isinstance(carry_out(task(diverging), on_cpu(few)), Failed)
    late = carry_out(task(), on_cpu(few), time.monotonic() - 1)
    assert late == Failed(epochs=2, reason="timeout")
