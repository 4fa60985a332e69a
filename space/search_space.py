"""The networks a search may propose: named ranges, and how a choice from each becomes an Architecture.

A network is up to four stages of convolutions with pools and 1x1 transitions between them, and a head. Every range is
drawn for every network, used or not (the growth of a third convolution in a stage of two is drawn and ignored), since a
joint sampler models only the ranges that all its trials have in common.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Protocol

from space.architecture import Architecture
from space.layers import (
    BatchNorm,
    Conv,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
    Linear,
    MaxPool,
    ReLU,
    Shape,
)

Value = int | float | str | bool
Choices = Mapping[str, Value]
"""One value for each range of a space, by the range's name."""

_DEPTH = 3
"""Most convolutions of a stage."""
_FILTERS = (2, 32)
GROWING = range(2, _DEPTH + 1)
"""Places in a stage whose filters are chosen as growth over the place before."""
_SMALLEST_MAP = 3
"""A convolution without padding that would leave a map of fewer pixels a side is padded instead."""


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


def growth_name(stage: int, place: int) -> str:
    """The range of one convolution's growth over the one before."""
    return f"growth{stage}.{place}"


def grown(filters: int, growth: int) -> int:
    """`filters` more or less by `growth`, within what a convolution may have."""
    return max(_FILTERS[0], min(_FILTERS[1], filters + growth))


class Chooser(Protocol):
    """Whoever picks a value from a range: a random generator, a study's trial, a table."""

    def __call__(self, dimension: Range | Choice) -> Value: ...


@dataclass(frozen=True)
class SearchSpace:
    """All networks for images of one shape and a number of classes."""

    image: Shape
    """(channels, height, width) in pixels."""
    classes: int

    def __post_init__(self) -> None:
        if min(self.image[1:]) < 6:
            raise ValueError(f"images must have at least 6 pixels a side, but have {min(self.image[1:])}")

    @property
    def stages(self) -> int:
        """Stages of convolutions: one more each time the image's side doubles from 4 pixels, at most four."""
        return max(2, min(4, (min(self.image[1:]) // 4).bit_length()))

    @property
    def dimensions(self) -> tuple[Range | Choice, ...]:
        """Every range, in the order in which they are drawn."""
        stages = range(1, self.stages + 1)
        return (
            *(dimension for stage in stages for dimension in self._stage(stage)),
            Choice("transition", ("none", "before pool", "after pool", "after pool, linear"), weights=(55, 15, 15, 15)),
            *(Range(f"transition{stage}", 8, _FILTERS[1], log=True, filters=True) for stage in stages[:-1]),
            Choice(
                "norm",
                ("before relu", "after relu", "after pool", "after first pool", "none"),
                weights=(45, 40, 7, 5, 3),
            ),
            Choice("bias", (False, True), weights=(70, 30)),
            Choice("padding", (False, True), weights=(40, 60)),
            Choice("head", ("average", "dense", "conv", "bottleneck conv"), weights=(60, 20, 10, 10)),
            Choice("head_kernel", (1, 3), weights=(30, 70)),
            Choice("finish", ("plain", "norm", "block"), weights=(85, 10, 5)),
            Choice("dropout", (0.0, 0.05, 0.1), weights=(70, 25, 5)),
            Range("dropout_from", 1, self.stages + 1),
        )

    def _stage(self, stage: int) -> list[Range | Choice]:
        small = min(self.image[1:]) < 16
        found: list[Range | Choice] = [
            Range(f"depth{stage}", 1 if stage == 1 else 0, _DEPTH, usual=(1, _DEPTH) if stage == 2 else None),
            Range(f"width{stage}", *_FILTERS, log=True, filters=True, usual=(4, 16) if stage == 1 else (8, 24)),
            *(Range(growth_name(stage, place), -8, 16, filters=True, usual=(-4, 10)) for place in GROWING),
        ]
        if stage == 1:
            kernels = Choice("kernel1", (3, 4), (80, 20)) if small else Choice("kernel1", (3, 4, 5), (65, 5, 30))
            return [*found, kernels]
        found.append(Choice(f"kernel{stage}", (2, 3), weights=(10, 90)))
        found.append(Choice(f"pool{stage}", (False, True), weights=(40, 60) if stage == 2 else (75, 25)))
        return found

    def choose(self, chooser: Chooser) -> dict[str, Value]:
        """A value for every range, each from `chooser`."""
        return {dimension.name: chooser(dimension) for dimension in self.dimensions}

    def random(self, rng: random.Random) -> dict[str, Value]:
        """A value for every range, each drawn on its own."""
        return self.choose(lambda dimension: dimension.draw(rng))

    def architecture(self, choices: Choices) -> Architecture:
        """The network that `choices` describe; KeyError where a range has no value."""
        return _Drawing(self, choices).architecture()


class _Drawing:
    """An architecture while it is drawn: the layers so far and the shape that they leave."""

    def __init__(self, space: SearchSpace, choices: Choices) -> None:
        self.space = space
        self.choices = choices
        self.layers: list[Layer] = []
        self.shape = space.image
        self.awaits_norm = False
        """Whether a convolution's batch norm is still to come, because it belongs after the pool."""

    def architecture(self) -> Architecture:
        stages = range(1, self.space.stages + 1)
        last = max(stage for stage in stages if self.whole(f"depth{stage}"))
        for stage in stages[:last]:
            self.stage(stage, last=stage == last)
        if self.choices["head"] == "bottleneck conv":
            self.block(self.space.classes, 1)
        self.settle_norm()
        match self.choices["head"]:
            case "average":
                self.average_head()
            case "dense":
                self.dense_head()
            case _:
                self.conv_head()
        return Architecture(self.space.image, tuple(self.layers))

    def whole(self, name: str) -> int:
        return int(self.choices[name])

    def side(self) -> int:
        return min(self.shape[1:])

    def add(self, *layers: Layer) -> None:
        for layer in layers:
            self.layers.append(layer)
            self.shape = layer.output(self.shape)

    def stage(self, stage: int, *, last: bool) -> None:
        """Convolutions, then a pool and a transition; without convolutions of its own a stage is at most its pool."""
        depth = self.whole(f"depth{stage}")
        transition = "none" if last or depth == 0 else self.choices["transition"]
        width = 0 if transition == "none" else self.whole(f"transition{stage}")
        for filters in self.widths(stage)[:depth]:
            self.block(filters, self.whole(f"kernel{stage}"))
            if stage >= self.whole("dropout_from"):
                self.drop()
        if transition == "before pool":
            self.block(width, 1)
        if stage == 1 or self.choices[f"pool{stage}"]:
            self.pool()
        if transition == "after pool":
            self.block(width, 1)
        elif transition == "after pool, linear":
            self.settle_norm()
            self.conv(width, 1)

    def widths(self, stage: int) -> list[int]:
        """Filters of each convolution of a stage: the first as chosen, the others by growth over the one before."""
        found = [self.whole(f"width{stage}")]
        for place in GROWING:
            found.append(grown(found[-1], self.whole(growth_name(stage, place))))
        return found

    def conv(self, filters: int, kernel: int) -> None:
        """A convolution, padded if the space says so or if it would leave too small a map."""
        padding = 0
        if self.choices["padding"] or self.side() - kernel + 1 < _SMALLEST_MAP:
            kernel |= 1  # only odd kernels can keep the map's size
            padding = kernel // 2
        self.add(Conv(filters, kernel, padding, bool(self.choices["bias"])))

    def block(self, filters: int, kernel: int) -> None:
        """A convolution with its batch norm and ReLU."""
        self.settle_norm()
        self.conv(filters, kernel)
        self.activate()

    def activate(self) -> None:
        """ReLU with its batch norm: before, after, or still to come where it belongs after the pool."""
        norm = self.choices["norm"]
        if norm == "before relu":
            self.add(BatchNorm())
        self.add(ReLU())
        if norm == "after relu":
            self.add(BatchNorm())
        self.awaits_norm = norm in ("after pool", "after first pool")

    def settle_norm(self) -> None:
        """The batch norm that was to follow a pool, where none came."""
        if self.awaits_norm:
            self.add(BatchNorm())
        self.awaits_norm = False

    def drop(self) -> None:
        rate = float(self.choices["dropout"])
        if rate:
            self.settle_norm()
            self.add(Dropout(rate))

    def pool(self) -> None:
        """Max pool of 2x2, if that leaves at least 2x2, with the batch norm that belongs after it."""
        if self.side() < 4:
            return
        again = isinstance(self.layers[-1], BatchNorm) and self.choices["norm"] == "after pool"
        self.add(MaxPool(2))
        if self.awaits_norm or again:
            self.add(BatchNorm())
        self.awaits_norm = False

    def dense_head(self) -> None:
        self.add(Flatten())
        self.drop()
        self.add(Linear(self.space.classes, bool(self.choices["bias"])))

    def average_head(self) -> None:
        self.conv(self.space.classes, self.whole("head_kernel"))
        self.finish()
        self.add(GlobalAveragePool())

    def conv_head(self) -> None:
        """A convolution as large as the map."""
        self.add(Conv(self.space.classes, self.side(), 0, bool(self.choices["bias"])))
        self.finish()
        self.add(Flatten() if self.shape[1:] == (1, 1) else GlobalAveragePool())

    def finish(self) -> None:
        """What follows the convolution to one channel a class: nothing, batch norm, or all that a block has."""
        if self.choices["finish"] == "block":
            self.activate()
            self.settle_norm()
            self.drop()
        elif self.choices["finish"] == "norm" and self.choices["norm"] != "none":
            self.add(BatchNorm())
