"""What a search is asked to do: what is fixed for a study, and what each run of it may choose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any, Self

from search.errors import SettingsError
from space.fitting import check_budget
from space.search_space import SearchSpace
from workers import sources
from workers.dataset import FOLDS
from workers.recipe import Recipe, default_recipe
from workers.recipe import from_json as recipe_from_json

DATASET = "mnist"
"""The data set where the user names none."""
RUNGS = (1, 16)
"""Epochs of the trainings that a candidate goes through."""
CONFIRMATIONS = 3
"""Fresh trainings whose mean must reach the target."""


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """Fixed when a study is made: candidates are comparable only if all of this is the same."""

    dataset: str
    budgets: tuple[int, ...]
    """Most parameters that a network may have, for each network that is searched for; strictly increasing."""
    target: float
    """Accuracy to reach, a fraction."""
    seed: int = 0
    """Of the sampler and, with a candidate's number, of its training."""
    recipe: Recipe
    """Of trainings to the top rung; shorter ones differ in their epochs alone."""
    rungs: tuple[int, ...] = RUNGS
    """Epochs."""
    reduction: int
    """One candidate in this many goes from a rung to the next."""

    @classmethod
    def make(
        cls,
        dataset: str,
        budgets: int | Iterable[int],
        target: float,
        seed: int = 0,
        rungs: tuple[int, ...] = RUNGS,
    ) -> Self:
        """Settings for a known data set and one or more budgets that its space can meet; DataError or BudgetError."""
        source = sources.find(dataset)
        sizes = (budgets,) if isinstance(budgets, int) else tuple(sorted(budgets))
        recipe = default_recipe(rungs[-1], source.images * (FOLDS - 1) // FOLDS, sizes[-1])
        settings = cls(
            dataset=dataset,
            budgets=sizes,
            target=target,
            seed=seed,
            recipe=recipe,
            rungs=rungs,
            reduction=_reduction(rungs),
        )
        check_budget(settings.space, min(sizes))
        return settings

    @property
    def budget(self) -> int:
        """Most parameters a candidate may have: the largest of the budgets."""
        return self.budgets[-1]

    @property
    def space(self) -> SearchSpace:
        """All networks for the data set's images and classes."""
        source = sources.find(self.dataset)
        return SearchSpace(source.image, source.classes)

    @property
    def name(self) -> str:
        """The study's name where the user gives none."""
        return "-".join([self.dataset, *map(str, self.budgets), f"{self.target:g}"])

    def options(self) -> list[str]:
        """The options of `search run` that make these settings, without those at their defaults."""
        data = [] if self.dataset == DATASET else ["--dataset", self.dataset]
        wish = ["--budget", ",".join(map(str, self.budgets)), "--target", str(self.target)]
        seed = ["--seed", str(self.seed)] if self.seed else []
        rungs = [] if self.rungs == RUNGS else ["--rungs", write_rungs(self.rungs)]
        return [*data, *wish, *seed, *rungs]

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the study's record and for comparison; the space is written down range by range."""
        ranges = {dimension.name: str(dimension) for dimension in self.space.dimensions}
        return asdict(self) | {"budgets": list(self.budgets), "rungs": list(self.rungs), "space": ranges}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The settings that `to_json` wrote."""
        plain = {name: value[name] for name in ("dataset", "target", "seed", "reduction")}
        budgets, rungs = tuple(value["budgets"]), tuple(value["rungs"])
        return cls(**plain, budgets=budgets, rungs=rungs, recipe=recipe_from_json(value["recipe"]))


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """When a run ends if the target is not met before."""

    trials: int = 1000
    """Candidates trained in the study, those of earlier runs included."""
    timeout: float | None = None
    """Seconds from the start of this run."""
    trial_timeout: float | None = None
    """Seconds for one candidate, all rungs together."""
    shrink: bool = False
    """Whether the search goes on below the smallest winner once every budget has one."""


def _reduction(rungs: tuple[int, ...]) -> int:
    """What whole searches did best with, of rungs of 1 and 16 and of 1, 4 and 16 epochs (docs/experiments.md)."""
    return 6 if len(rungs) <= 2 else 4


def parse_budget(text: str) -> int:
    """`10000`, `10_000` or `10k` as a number of parameters."""
    match = re.fullmatch(r"(\d[\d_]*)(k?)", text.strip().lower())
    if match is None or match[1].endswith("_"):
        raise SettingsError(f"budget must be a whole number of parameters such as 10000, 10_000 or 10k, but got {text}")
    budget = int(match[1].replace("_", "")) * (1000 if match[2] else 1)
    if budget < 1:
        raise SettingsError(f"budget must be at least 1 parameter, but got {text}")
    return budget


def parse_budgets(text: str) -> tuple[int, ...]:
    """`10k`, or several as in `10k,15k,20k`, as numbers of parameters in increasing order."""
    budgets = sorted(map(parse_budget, text.split(",")))
    if len(set(budgets)) < len(budgets):
        raise SettingsError(f"budgets must differ from each other, but got {text}")
    return tuple(budgets)


def parse_rungs(text: str) -> tuple[int, ...]:
    """`1,4,16` as numbers of epochs."""
    words = [word.strip() for word in text.split(",")]
    rungs = [int(word) if re.fullmatch(r"[0-9]{1,6}", word) else 0 for word in words]
    if any(before >= after for before, after in pairwise([0, *rungs])):
        raise SettingsError(f"rungs must be growing whole numbers of epochs such as 1,4,16, but got {text}")
    return tuple(rungs)


def write_rungs(rungs: Iterable[int]) -> str:
    """What `parse_rungs` reads."""
    return ",".join(map(str, rungs))


def parse_target(text: str) -> float:
    """`0.994` or `99.4%` as a fraction."""
    stripped = text.strip()
    try:
        value = Decimal(stripped.removesuffix("%"))
    except InvalidOperation:
        value = Decimal("NaN")
    if stripped.endswith("%"):
        value /= 100
    if not (value.is_finite() and 0 < value <= 1):
        raise SettingsError(f"target must be above 0 and at most 1 (or 100%), but got {text}")
    return float(value)


def parse_seconds(text: str) -> float:
    """`90`, `90s`, `15m` or `2h` as seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip().lower())
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]] if match else 0.0
    if seconds <= 0:
        raise SettingsError(f"a time must be above 0, such as 90, 90s, 15m or 2h, but got {text}")
    return seconds


def differences(stored: dict[str, Any], asked: dict[str, Any], prefix: str = "") -> list[str]:
    """Each setting that is not the same, as `name: stored, asked`; empty if all are."""
    found = []
    for name in stored.keys() | asked.keys():
        before, after = stored.get(name), asked.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            found += differences(before, after, f"{prefix}{name}.")
        elif before != after:
            found.append(f"{prefix}{name}: the study has {before}, asked for {after}")
    return sorted(found)
