"""Published networks trained again: what is done with each training that has ended."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from dashboards.text import duration, percent
from search import home
from search.batch import train_batch
from search.files import write_whole
from search.published.plans import DATASET, Plan, plans, still_to_do
from search.published.results import RecipeName, TrainingResult, read_all, rows, write
from search.published.table import markdown
from search.site import Site
from space.published import Published
from workers import sources
from workers.dataset import DataSet
from workers.job import Failed, Fit, Fitted
from workers.published_recipes import COMMON_NOTES, NETWORKS, RECIPES


@dataclass(frozen=True, kw_only=True)
class Request:
    """Trainings as the user asked for them."""

    networks: Sequence[Published]
    recipes: Sequence[RecipeName]
    seeds: int
    """Trainings of each network under each recipe."""
    epochs: int
    """Of our recipe."""
    output: Path
    """Directory of the results."""
    workers: int | None
    """Trainings at once; None to fill the machine."""
    command: str
    """The command line with all that results depend on."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How it ended."""

    failed: int
    """Trainings without a result."""
    interrupted: bool


def train(request: Request, tell: Callable[[str], None]) -> Ended:
    """Do the trainings that have no result yet; `tell` takes progress, line by line.

    SettingsError where a result is that of other settings, DataError where the images cannot be had.
    """
    planned = plans(request.networks, request.recipes, seeds=request.seeds, epochs=request.epochs)
    left = still_to_do(planned, read_all(request.output))
    tell(f"trainings: {len(planned)}, of them done before: {len(planned) - len(left)}")
    if not left:
        write_page(request.output)
        return Ended(failed=0, interrupted=False)
    training = sources.load(DATASET, home.data_directory())
    intake = Intake(left, training, request, tell)
    fits = [plan.fit() for plan in left]
    all_ended = train_batch(fits, training, Site(workers=request.workers), intake.take)
    return Ended(failed=intake.failed, interrupted=not all_ended)


def write_page(directory: Path) -> None:
    """Write the README of a directory of results."""
    results = list(read_all(directory).values())
    notes = {"": COMMON_NOTES} | {name: published.notes for name, published in RECIPES.items()}
    write_whole(directory / "README.md", markdown(rows(NETWORKS, results), results, notes))


class Intake:
    """Takes in the trainings that have ended: reads the test set for each, writes its file and the page."""

    def __init__(self, left: Sequence[Plan], training: DataSet, request: Request, tell: Callable[[str], None]) -> None:
        self.failed = 0
        """Trainings without a result."""
        self._plans = {plan.key: plan for plan in left}
        self._left = len(left)
        self._training = training
        self._request = request
        self._tell = tell
        self._conditions = conditions()

    @cached_property
    def _test(self) -> DataSet:
        """Opened when the first training has ended."""
        return sources.load(DATASET, home.data_directory(), "test")

    def take(self, fit: Fit, outcome: Fitted | Failed) -> None:
        """A training has ended."""
        plan = self._plans[fit.key]
        self._left -= 1
        what = f"{plan.network.name}, {'their' if plan.recipe_name == 'published' else 'our'} recipe, seed {plan.seed}"
        match outcome:
            case Failed(reason=reason):
                self.failed += 1
                self._tell(f"{what}: failed ({reason}); {self._left} left")
            case Fitted(seconds=seconds):
                result = self._result(plan, outcome)
                write(result, self._request.output)
                write_page(self._request.output)
                accuracy = percent(result.test_accuracy)
                self._tell(f"{what}: {accuracy} on the test images, {duration(seconds)}; {self._left} left")

    def _result(self, plan: Plan, fitted: Fitted) -> TrainingResult:
        from workers.pruning import nonzero
        from workers.reading import confusion
        from workers.weights import unpack

        last = fitted.stages[-1]
        weights = unpack(last.weights)
        return TrainingResult(
            network=plan.network.name,
            recipe_name=plan.recipe_name,
            seed=plan.seed,
            parameters=nonzero(plan.network.architecture, weights) if plan.pruning else plan.network.parameters,
            epochs=tuple(stage.epochs for stage in fitted.stages),
            validation_accuracy=last.accuracy,
            confusion=confusion(plan.network.architecture, weights, self._test, self._training),
            seconds=round(fitted.seconds, 3),
            conditions=self._conditions[plan.recipe_name],
            data_sha256=self._training.checksum,
            command=self._request.command,
            date=datetime.now(UTC).date().isoformat(),
            **plan.settings(),
        )


def conditions() -> dict[RecipeName, dict[str, str]]:
    """What results depend on besides their settings, in words, by recipe."""
    import torch

    from workers.numerics import device, fastest

    numerics = fastest(home.numerics_file())
    cores = f"{os.cpu_count()} {platform.machine()} cores, {torch.backends.cpu.get_cpu_capability()}"
    common = {
        "machine": torch.cuda.get_device_name() if device().type == "cuda" else cores,
        "python": platform.python_version(),
        **{package: version(package) for package in ("petitnet", "torch", "numpy")},
    }
    return {
        "published": common | {"number format": str(numerics.for_plain)},
        "ours": common | {"number format": str(numerics)},
    }
