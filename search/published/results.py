"""Trainings of published networks, one JSON file each, and what they come to for each network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from search.errors import SettingsError
from search.files import write_whole
from space.confusion import Confusion, accuracy
from space.published import Published
from space.statistics import Summary

RecipeName = Literal["published", "ours"]
RECIPE_NAMES: tuple[RecipeName, ...] = ("published", "ours")


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """One training of one network that ran to its end, and its one reading of the test set."""

    network: str
    recipe_name: RecipeName
    seed: int
    """Which training of this network under this recipe: 0, 1, ..."""
    random_seed: int
    """Of weights, order, augmentation and dropout."""
    line: str
    """The layers, in the one-line notation."""
    parameters: int
    """Trainable scalars, less those that pruning holds at zero."""
    recipe: dict[str, Any]
    pruning: dict[str, Any] | None
    fold: int | None
    """Held out for validation; None if all training images were trained on."""
    epochs: tuple[int, ...]
    """That were run: of the training, then of each round of pruning."""
    validation_accuracy: float | None
    """On the fold, by the weights that were tested; a fraction."""
    confusion: Confusion
    """Test images by their class (row) and the class that they were taken for (column)."""
    seconds: float
    conditions: dict[str, str]
    """Device, number format and versions."""
    data_sha256: str
    """Of the training images."""
    command: str
    date: str
    """On which it ended, as in 2026-11-21."""

    @property
    def key(self) -> str:
        """What names it among all trainings, and its file."""
        return key(self.network, self.recipe_name, self.seed)

    @property
    def test_accuracy(self) -> float:
        """Share of the test images that were taken for their own class."""
        return accuracy(self.confusion)

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them back to an equal result."""
        return asdict(self) | {"test_accuracy": self.test_accuracy}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The result that `to_json` wrote; TypeError, KeyError or ValueError for anything else."""
        fields = {name: value[name] for name in cls.__dataclass_fields__}
        if fields["recipe_name"] not in RECIPE_NAMES:
            raise ValueError(f"its recipe is {fields['recipe_name']!r}")
        fields["epochs"] = tuple(map(int, fields["epochs"]))
        fields["confusion"] = tuple(tuple(map(int, row)) for row in fields["confusion"])
        found = cls(**fields)
        if not 0 <= found.test_accuracy <= 1:
            raise ValueError(f"its test accuracy is {found.test_accuracy}")
        return found


def key(network: str, recipe: RecipeName, seed: int) -> str:
    """The name of a training, as in `article-2.published.0`."""
    return f"{network}.{recipe}.{seed}"


def read_all(directory: Path) -> dict[str, TrainingResult]:
    """The results in a directory, by their keys; none where there is no directory. SettingsError for a damaged file."""
    return {file.stem: _read(file) for file in sorted(directory.glob("*.json"))}


def _read(file: Path) -> TrainingResult:
    try:
        found = TrainingResult.from_json(json.loads(file.read_text()))
        if found.key != file.stem:
            raise ValueError(f"it is that of {found.key}")
    except OSError as error:
        raise SettingsError(f"{file} must be a training's result, but cannot be read: {error.strerror}") from error
    except KeyError as error:
        raise SettingsError(f"{file} must be a training's result, but has no {error}; remove it") from error
    except (ValueError, TypeError, IndexError, ZeroDivisionError) as error:
        raise SettingsError(f"{file} must be a training's result, but is not ({error}); remove it") from error
    return found


def write(result: TrainingResult, directory: Path) -> None:
    """Keep a result in its file."""
    write_whole(directory / f"{result.key}.json", json.dumps(result.to_json(), indent=2) + "\n")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the trainings of one network under one recipe came to."""

    test: Summary
    """Test accuracies, fractions."""
    validation: float | None
    """Mean accuracy on the fold; None if none was held out."""
    epochs: tuple[int, int]
    """Fewest and most that a training took, its rounds of pruning included."""
    seconds: float
    """Mean of a training, on one slot."""

    @classmethod
    def of(cls, results: Sequence[TrainingResult]) -> Self:
        """Of at least one result."""
        validations = [result.validation_accuracy for result in results if result.validation_accuracy is not None]
        epochs = [sum(result.epochs) for result in results]
        return cls(
            test=Summary.of([result.test_accuracy for result in results]),
            validation=Summary.of(validations).mean if validations else None,
            epochs=(min(epochs), max(epochs)),
            seconds=Summary.of([result.seconds for result in results]).mean,
        )


@dataclass(frozen=True, kw_only=True)
class Row:
    """One network of the table."""

    network: Published
    outcomes: dict[RecipeName, Outcome]
    """By recipe; one that was not run is not there."""


def rows(networks: Iterable[Published], results: Iterable[TrainingResult]) -> list[Row]:
    """One row a network, in their order, whether it was trained or not."""
    found = list(results)
    return [Row(network=network, outcomes=_outcomes(network, found)) for network in networks]


def _outcomes(network: Published, results: list[TrainingResult]) -> dict[RecipeName, Outcome]:
    by_recipe = {
        name: [result for result in results if (result.network, result.recipe_name) == (network.name, name)]
        for name in RECIPE_NAMES
    }
    return {name: Outcome.of(of_recipe) for name, of_recipe in by_recipe.items() if of_recipe}


def row_json(row: Row) -> dict[str, Any]:
    """A row as plain values."""
    network = row.network
    return {
        "network": network.name,
        "parameters": network.parameters,
        "published_accuracy": network.accuracy,
        **{name: asdict(row.outcomes[name]) if name in row.outcomes else None for name in RECIPE_NAMES},
    }
