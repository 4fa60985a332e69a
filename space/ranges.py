"""What is chosen from: ranges of whole numbers and choices of values, each with the odds of a random draw."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Protocol

Value = int | float | str | bool
Choices = Mapping[str, Value]
"""One value for each range of a space, by the range's name."""


@dataclass(frozen=True)
class Range:
    """Whole numbers from `low` to `high`, both included."""

    name: str
    low: int
    high: int
    log: bool = False
    """Whether small numbers are drawn more often, evenly in the logarithm."""
    filters: bool = False
    """Whether it is a number of filters, so that a smaller one makes a smaller network."""
    usual: tuple[int, int] | None = None
    """What random draws keep to, where that is less than the whole range."""

    @property
    def ends(self) -> tuple[int, int]:
        return self.low, self.high

    def draw(self, rng: random.Random) -> int:
        low, high = self.usual or self.ends
        if not self.log:
            return rng.randint(low, high)
        drawn = round(exp(rng.uniform(log(low - 0.5), log(high + 0.5))))
        return max(low, min(high, drawn))

    def __str__(self) -> str:
        usual = f", usually {self.usual[0]} to {self.usual[1]}" if self.usual else ""
        return f"{self.low} to {self.high}{usual}{' (log)' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    name: str
    values: tuple[Value, ...]
    weights: tuple[int, ...]
    """How often random draws take each of them, in percent."""

    def __post_init__(self) -> None:
        assert len(self.weights) == len(self.values)
        assert sum(self.weights) == 100

    @property
    def ends(self) -> tuple[Value, ...]:
        return self.values

    def draw(self, rng: random.Random) -> Value:
        return rng.choices(self.values, self.weights)[0]

    def __str__(self) -> str:
        return ", ".join(f"{value} ({weight} %)" for value, weight in zip(self.values, self.weights, strict=True))


class Chooser(Protocol):
    """Whoever picks a value from a range: a random generator, a study's trial, a table."""

    def __call__(self, dimension: Range | Choice) -> Value: ...
