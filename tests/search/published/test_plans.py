from __future__ import annotations

from dataclasses import replace

import pytest

from search.errors import SettingsError
from search.published.plans import Plan, plans, still_to_do
from search.published.results import RECIPE_NAMES, TrainingResult
from space.notation import read
from tests.search.published.test_results import PLAIN
from workers.plain_recipe import PlainRecipe
from workers.published_recipes import NETWORKS
from workers.recipe import Recipe

BY_NAME = {network.name: network for network in NETWORKS}
FEW = [BY_NAME[name] for name in ("article-3", "article-2", "article-pruned")]


def done(plan: Plan) -> TrainingResult:
    """A result of the plan."""
    return replace(PLAIN, network=plan.network.name, recipe_name=plan.recipe_name, seed=plan.seed, **plan.settings())


def test_each_network_is_trained_under_each_recipe_with_each_seed() -> None:
    planned = plans(FEW, RECIPE_NAMES, seeds=3, epochs=16)

    assert len(planned) == len({plan.key for plan in planned}) == 3 * 2 * 3
    assert len({plan.random_seed for plan in planned}) == len(planned)


def test_the_first_seeds_are_trained_first_and_of_a_seed_the_longest() -> None:
    planned = plans(FEW, RECIPE_NAMES, seeds=2, epochs=16)
    first = [plan.key for plan in planned[:6]]

    assert [plan.seed for plan in planned] == [0] * 6 + [1] * 6
    assert first[0] == "article-pruned.published.0"
    assert first[-1] == "article-3.ours.0"


def test_the_same_plans_come_again() -> None:
    assert plans(FEW, ["ours"], seeds=2, epochs=4) == plans(FEW, ["ours"], seeds=2, epochs=4)
    assert plans(FEW, ["ours"], seeds=3, epochs=4)[:6] == plans(FEW, ["ours"], seeds=2, epochs=4)


def test_their_recipe_holds_a_fold_out_and_ours_does_not() -> None:
    for plan in plans(NETWORKS, RECIPE_NAMES, seeds=1, epochs=7):
        fit = plan.fit()
        assert (fit.key, fit.seed, fit.line) == (plan.key, plan.random_seed, plan.network.line)
        assert read(fit.line) == plan.network.architecture
        assert (fit.pruning is not None) == (plan.network.name == "article-pruned")
        if plan.recipe_name == "published":
            assert fit.fold == 0
            assert isinstance(fit.recipe, PlainRecipe)
        else:
            assert fit.fold is None
            assert isinstance(fit.recipe, Recipe)
            assert fit.recipe.epochs == 7


def test_what_has_its_result_is_not_done_again() -> None:
    planned = plans(FEW, RECIPE_NAMES, seeds=2, epochs=16)
    results = {plan.key: done(plan) for plan in planned[:5]}

    assert still_to_do(planned, results) == planned[5:]


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"epochs": 16}, "recipe.epochs"), ({"epochs": 4, "seeds": 1}, "")],
)
def test_a_result_of_other_settings_is_refused(asked: dict[str, int], said: str) -> None:
    results = {plan.key: done(plan) for plan in plans(FEW, ["ours"], seeds=1, epochs=4)}
    planned = plans(FEW, ["ours"], seeds=asked.get("seeds", 2), epochs=asked["epochs"])
    if not said:
        assert still_to_do(planned, results) == []
        return
    with pytest.raises(SettingsError, match=rf"\.ours\.0\.json must be that of the same training.*another {said};"):
        still_to_do(planned, results)
