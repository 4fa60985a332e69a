from __future__ import annotations

import pytest

from space.layers import Conv
from space.published import BY_NAME, PUBLISHED, Published
from workers.published_recipes import NETWORKS, PRUNED, RECIPES


def test_every_published_network_has_a_recipe_and_the_pruned_one_too() -> None:
    assert {network.name for network in NETWORKS} == RECIPES.keys()
    assert {network.name for network in PUBLISHED} | {"article-pruned"} == RECIPES.keys()


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_what_was_taken_without_the_text_is_said(network: Published) -> None:
    assert RECIPES[network.name].notes


def test_the_recipes_are_as_published() -> None:
    baseline, article, fourth, last = (
        RECIPES[name].recipe for name in ("reduce-baseline", "article-1", "eip-4", "optimization")
    )

    assert (baseline.optimiser, baseline.batch, baseline.early_stop, baseline.measure) == ("adam", 32, 2, "loss")
    assert (article.learning_rate, article.batch, article.epochs, article.early_stop) == (0.01, 125, 40, 10)
    assert (fourth.learning_rate, fourth.batch, fourth.epochs) == (3e-3, 128, 60)
    assert (last.optimiser, last.learning_rate, last.momentum, last.epochs) == ("sgd", 0.01, 0.9, 19)
    assert [RECIPES[f"eip-{place}"].recipe.epochs for place in (1, 2, 3)] == [10, 20, 30]


def test_only_the_pruned_network_is_pruned_and_to_the_published_count() -> None:
    architecture = BY_NAME["article-2"].architecture
    weights = sum(row.parameters for row in architecture.rows() if isinstance(row.layer, Conv)) - 4 - 8 - 16 - 16 - 10
    pruning = RECIPES["article-pruned"].pruning

    assert [name for name, published in RECIPES.items() if published.pruning] == ["article-pruned"]
    assert pruning is not None
    assert weights == 5_220
    assert round(pruning.keep * weights) == 2_309
    assert architecture.totals.parameters - weights + 2_309 == PRUNED.parameters
    assert PRUNED.architecture == architecture
