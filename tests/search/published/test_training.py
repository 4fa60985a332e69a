from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from search.batch import OnDone
from search.published.plans import Plan
from search.published.results import RECIPE_NAMES, RecipeName, read_all
from search.published.training import Ended, Request, train
from space.building import build
from space.notation import read
from workers import sources
from workers.dataset import DataSet, make
from workers.job import Failed, Fit, Fitted, Stage
from workers.numerics import Numerics
from workers.published_recipes import NETWORKS, RECIPES
from workers.weights import pack

BY_NAME = {network.name: network for network in NETWORKS}


def images(name: str, count: int) -> DataSet:
    """Noise of MNIST's shape in ten classes."""
    drawn = np.random.default_rng(0).integers(0, 256, (count, 1, 28, 28)).astype(np.uint8)
    return make(name, drawn, np.arange(count, dtype=np.int64) % 10, name * 8)


def fitted(fit: Fit) -> Fitted:
    """What a worker may answer: fresh weights, of which pruning has set every other one to zero."""
    torch.manual_seed(fit.seed)
    network = build(read(fit.line))
    if fit.pruning is not None:
        with torch.no_grad():
            network.get_parameter("0.weight").view(-1)[::2] = 0
    stage = Stage(weights=pack(network.state_dict()), epochs=3, loss=0.1, accuracy=0.5 if fit.fold == 0 else None)
    stages = 1 + (0 if fit.pruning is None else fit.pruning.rounds)
    return Fitted(stages=(stage,) * stages, seconds=1.5)


class Bench:
    """Stands in for the workers: trains nothing, and ends after `until` jobs as if the user had ended it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trained: list[str] = []
        self.opened: list[str] = []
        self.until: int | None = None
        self.answer: Callable[[Fit], Fitted | Failed] = fitted
        self.said: list[str] = []
        monkeypatch.setattr("search.published.training.train_batch", self.train_batch)
        monkeypatch.setattr("workers.numerics.measure", Numerics)  # which takes two seconds
        monkeypatch.setattr(sources, "load", self.load)

    def train_batch(self, jobs: Sequence[Fit], data: DataSet, site: Any, on_done: OnDone) -> bool:
        assert data.name == "train"
        for fit in jobs[: self.until]:
            self.trained.append(fit.key)
            on_done(fit, self.answer(fit))
        return self.until is None

    def load(self, name: str, directory: Path, part: str = "train") -> DataSet:
        assert name == "mnist"
        if part == "test":
            assert self.trained, "test images must not be opened before a training has ended"
        self.opened.append(part)
        return images(part, 40)

    def run(self, output: Path, names: Sequence[str], recipes: Sequence[RecipeName] = RECIPE_NAMES) -> Ended:
        request = Request(
            networks=[BY_NAME[name] for name in names],
            recipes=recipes,
            seeds=2,
            epochs=16,
            output=output,
            workers=1,
            command="search published train",
        )
        return train(request, self.said.append)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_each_training_is_tested_once_and_has_its_file(bench: Bench, tmp_path: Path) -> None:
    ended = bench.run(tmp_path, ["article-3"])
    results = read_all(tmp_path)

    assert ended == Ended(failed=0, interrupted=False)
    assert sorted(results) == [f"article-3.{recipe}.{seed}" for recipe in ("ours", "published") for seed in (0, 1)]
    assert bench.opened == ["train", "test"]
    for result in results.values():
        assert sum(map(sum, result.confusion)) == 40
        assert (result.epochs, result.parameters) == ((3,), 3_090)
        assert result.data_sha256 == "train" * 8
        assert result.validation_accuracy == (0.5 if result.recipe_name == "published" else None)
        assert {"machine", "torch", "numpy", "python", "petitnet", "number format"} <= result.conditions.keys()


def test_the_confusion_is_that_of_the_weights(bench: Bench, tmp_path: Path) -> None:
    bench.run(tmp_path, ["article-3"], ["published"])
    result = read_all(tmp_path)["article-3.published.0"]
    torch.manual_seed(result.random_seed)
    network = build(read(result.line)).eval()
    train_set, test_set = images("train", 40), images("test", 40)
    with torch.no_grad():
        inputs = (torch.tensor(test_set.images) / 255 - train_set.mean[0]) / train_set.deviation[0]
        right = int((network(inputs).argmax(dim=1) == torch.tensor(test_set.labels)).sum())

    assert result.test_accuracy == right / 40


def test_pruned_weights_do_not_count(bench: Bench, tmp_path: Path) -> None:
    bench.run(tmp_path, ["article-pruned"], ["ours"])
    result = read_all(tmp_path)["article-pruned.ours.0"]

    assert result.parameters == 5_382 - 18
    assert result.epochs == (3, 3, 3)


def test_the_same_again_does_only_what_is_left(bench: Bench, tmp_path: Path) -> None:
    bench.until = 3
    assert bench.run(tmp_path, ["article-3", "article-2"]).interrupted
    first = bench.trained.copy()
    bench.until = None
    assert not bench.run(tmp_path, ["article-3", "article-2"]).interrupted

    assert len(first) == 3
    assert len(bench.trained) == len(set(bench.trained)) == 8
    assert len(read_all(tmp_path)) == 8
    assert bench.said[0] == "trainings: 8, of them done before: 0"
    assert "trainings: 8, of them done before: 3" in bench.said


def test_when_all_is_done_nothing_is_opened_and_the_page_is_written_again(bench: Bench, tmp_path: Path) -> None:
    bench.run(tmp_path, ["article-3"])
    before = (tmp_path / "README.md").read_text()
    (tmp_path / "README.md").unlink()
    bench.opened.clear()
    ended = bench.run(tmp_path, ["article-3"])

    assert ended == Ended(failed=0, interrupted=False)
    assert bench.opened == []
    assert (tmp_path / "README.md").read_text() == before


def test_the_page_keeps_up_with_the_results(bench: Bench, tmp_path: Path) -> None:
    bench.until = 1
    bench.run(tmp_path, ["article-3"])
    text = (tmp_path / "README.md").read_text()

    assert "- trainings: 1, ended" in text
    assert text.count("not run") > 20


def test_a_failed_training_has_no_result_and_is_tried_again(bench: Bench, tmp_path: Path) -> None:
    bench.answer = lambda fit: Failed(epochs=16, reason="the training loss became nan")
    assert bench.run(tmp_path, ["article-3"], ["ours"]) == Ended(failed=2, interrupted=False)
    assert bench.said[-1] == "article-3, our recipe, seed 1: failed (the training loss became nan); 0 left"
    assert read_all(tmp_path) == {}
    assert bench.opened == ["train"]

    bench.answer = fitted
    assert bench.run(tmp_path, ["article-3"], ["ours"]).failed == 0
    assert len(read_all(tmp_path)) == 2


def test_progress_says_what_was_reached_and_what_is_left(bench: Bench, tmp_path: Path) -> None:
    bench.run(tmp_path, ["article-3"], ["published"])
    accuracy = json.loads((tmp_path / "article-3.published.0.json").read_text())["test_accuracy"]

    assert bench.said[1] == f"article-3, their recipe, seed 0: {100 * accuracy:.2f} % on the test images, 1 s; 1 left"


def test_a_result_holds_the_settings_of_its_plan(bench: Bench, tmp_path: Path) -> None:
    bench.run(tmp_path, ["eip-2"], ["published"])
    result = read_all(tmp_path)["eip-2.published.1"]
    plan = Plan(network=BY_NAME["eip-2"], recipe_name="published", seed=1, recipe=RECIPES["eip-2"].recipe, fold=0)

    assert {name: getattr(result, name) for name in plan.settings()} == plan.settings()
