"""The networks a search may propose: named ranges, and how a choice from each becomes an Architecture.

A network is up to four stages of convolutions with pools and 1x1 transitions between them, and a head. Every range is
drawn for every network, used or not (the growth of a third convolution in a stage of two is drawn and ignored), since a
joint sampler models only the ranges that all its trials have in common.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property

from space.architecture import Architecture
from space.drawing import DEPTH, FILTERS, GROWING, Drawing, growth_name
from space.layers import Shape
from space.ranges import Choice, Choices, Chooser, Range, Value

FILL = "fill"
"""The range of how much of the budget a network is widened to take up, in percent; 0 leaves it as it is."""
FULL = 100
"""The most of it."""
SEPARABLE = "separable_from"
"""The range of the stage from which on convolutions are separable: 0 for none, one more than there are for the head's
alone."""


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

    @cached_property
    def dimensions(self) -> tuple[Range | Choice, ...]:
        """Every range, in the order in which they are drawn."""
        stages = range(1, self.stages + 1)
        return (
            *(dimension for stage in stages for dimension in self._stage(stage)),
            Choice("transition", ("none", "before pool", "after pool", "after pool, linear"), weights=(55, 15, 15, 15)),
            *(Range(f"transition{stage}", 8, 32, log=True, filters=True) for stage in stages[:-1]),
            Choice(
                "norm",
                ("before relu", "after relu", "after pool", "after first pool", "none"),
                weights=(45, 40, 7, 5, 3),
            ),
            Choice("bias", (False, True), weights=(70, 30)),
            Choice("padding", (False, True), weights=(40, 60)),
            self._separation(),
            Choice("head", ("average", "dense", "conv", "bottleneck conv"), weights=(60, 20, 10, 10)),
            Choice("head_kernel", (1, 3), weights=(30, 70)),
            Choice("finish", ("plain", "norm", "block"), weights=(85, 10, 5)),
            Choice("dropout", (0.0, 0.05, 0.1), weights=(70, 25, 5)),
            Range("dropout_from", 1, self.stages + 1),
            Choice(FILL, (0, 60, 80, FULL), weights=(20, 10, 20, 50)),
        )

    def _separation(self) -> Choice:
        late = [20 // (self.stages - 1)] * (self.stages - 1)
        weights = (60 - sum(late), 20, 20, *late)
        return Choice(SEPARABLE, (0, *range(1, self.stages + 2)), weights=weights)

    def _stage(self, stage: int) -> list[Range | Choice]:
        small = min(self.image[1:]) < 16
        found: list[Range | Choice] = [
            Range(f"depth{stage}", 1 if stage == 1 else 0, DEPTH, usual=(1, DEPTH) if stage == 2 else None),
            Range(f"width{stage}", *FILTERS, log=True, filters=True, usual=(4, 16) if stage == 1 else (8, 24)),
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
        return self.drawing(choices).architecture()

    def drawing(self, choices: Choices) -> Drawing:
        """The network that `choices` describe, before it is drawn."""
        return Drawing(self.image, self.classes, self.stages, choices)
