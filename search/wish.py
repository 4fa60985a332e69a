"""What is asked of a study: choices that are to become a candidate, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from space import identity
from space.architecture import Architecture
from space.ranges import Choices
from space.search_space import SearchSpace

SAMPLED = "sampler"
"""The origin of what the sampler proposed."""


@dataclass(frozen=True)
class Wish:
    """Choices, and where they came from."""

    space: SearchSpace
    choices: Choices
    origin: str = SAMPLED
    again: int | None = None
    """Number of the interrupted candidate that they repeat."""
    rejected: Wish | None = None
    """Choices over budget that they take the place of."""

    @cached_property
    def architecture(self) -> Architecture:
        """The network that they describe."""
        return self.space.architecture(self.choices)

    @cached_property
    def parameters(self) -> int:
        """Trainable parameters."""
        return self.architecture.totals.parameters

    @cached_property
    def identity(self) -> str:
        """That network's."""
        return identity.identity(self.architecture)
