"""Which trainings of published networks there are to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from search.errors import SettingsError
from search.published.results import RecipeName, TrainingResult, key
from search.seeds import derive
from space.published import Published
from workers import sources
from workers.job import Fit, Pruning
from workers.plain_recipe import PlainRecipe
from workers.published_recipes import RECIPES
from workers.recipe import Recipe, default_recipe

DATASET = "mnist"
"""What all of them were published for."""
_FOLD = 0
"""That takes the place of the test set in the published recipes."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One training to do."""

    network: Published
    recipe_name: RecipeName
    seed: int
    """Which training of this network under this recipe: 0, 1, ..."""
    recipe: Recipe | PlainRecipe
    fold: int | None
    """Held out for validation."""

    @property
    def key(self) -> str:
        return key(self.network.name, self.recipe_name, self.seed)

    @property
    def random_seed(self) -> int:
        """Of weights, order, augmentation and dropout."""
        return derive(self.seed, "published", self.network.name, self.recipe_name)

    @property
    def pruning(self) -> Pruning | None:
        """The network's own, under either recipe."""
        return RECIPES[self.network.name].pruning

    @property
    def effort(self) -> int:
        """What it may cost at most, in MACs of one image an epoch: long trainings are begun first."""
        stages = 1 + (self.pruning.rounds if self.pruning else 0)
        return stages * self.recipe.epochs * self.network.architecture.totals.macs

    def fit(self) -> Fit:
        """The job for a worker."""
        return Fit(
            key=self.key,
            line=self.network.line,
            recipe=self.recipe,
            seed=self.random_seed,
            fold=self.fold,
            pruning=self.pruning,
        )

    def settings(self) -> dict[str, Any]:
        """What a result must have been made with to be that of this plan."""
        return {
            "line": self.network.line,
            "random_seed": self.random_seed,
            "recipe": asdict(self.recipe),
            "pruning": None if self.pruning is None else asdict(self.pruning),
            "fold": self.fold,
        }


def plans(networks: Iterable[Published], recipes: Sequence[RecipeName], *, seeds: int, epochs: int) -> list[Plan]:
    """All trainings in the order in which they are begun: seed by seed, the longest of a seed first.

    `epochs` are those of our recipe.
    """
    ours = default_recipe(epochs, sources.find(DATASET).images)
    chosen = list(networks)
    found = []
    for seed in range(seeds):
        of_seed = [
            Plan(network=network, recipe_name="published", seed=seed, recipe=RECIPES[network.name].recipe, fold=_FOLD)
            if name == "published"
            else Plan(network=network, recipe_name="ours", seed=seed, recipe=ours, fold=None)
            for network in chosen
            for name in recipes
        ]
        found += sorted(of_seed, key=lambda plan: -plan.effort)
    return found


def still_to_do(planned: Iterable[Plan], done: Mapping[str, TrainingResult]) -> list[Plan]:
    """Plans without a result; SettingsError if a result is that of other settings."""
    left = []
    for plan in planned:
        if plan.key not in done:
            left.append(plan)
            continue
        settings = plan.settings()
        found = {name: getattr(done[plan.key], name) for name in settings}
        other = sorted(name for name, value in _flat(settings).items() if _flat(found).get(name) != value)
        if other:
            raise SettingsError(
                f"{plan.key}.json must be that of the same training, but has another {', '.join(other)}; "
                "remove it, or name another directory with --output"
            )
    return left


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by names such as `recipe.epochs`."""
    found: dict[str, Any] = {}
    for name, inner in value.items():
        found |= _flat(inner, f"{prefix}{name}.") if isinstance(inner, Mapping) else {f"{prefix}{name}": inner}
    return found
