"""Trainings whose weights are wanted, done in this process instead of on Ray."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from search.batch import OnDone
from search.site import Site
from workers import sources
from workers.dataset import DataSet
from workers.fit import carry_out
from workers.job import Failed, Fit, Fitted
from workers.numerics import Numerics
from workers.sources import SplitName
from workers.training import batches


class Bench:
    """Trains in this process instead of on Ray, and notes what is done in which order."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.most = 100
        """Trainings until the user interrupts."""
        self.spoil: Callable[[Fitted | Failed], Fitted | Failed] = lambda outcome: outcome

    def train_batch(self, fits: Sequence[Fit], data: DataSet, site: Site, on_done: OnDone) -> bool:
        for fit in fits[: self.most]:
            short = replace(fit, recipe=replace(fit.recipe, epochs=1))
            torch.set_num_threads(1)
            outcome = carry_out(short, batches(data, fit.fold, Numerics(), torch.device("cpu")))
            self.log.append(f"trained {fit.seed}")
            on_done(fit, self.spoil(outcome))
        return len(fits) <= self.most

    def load(self, name: str, directory: Path, part: SplitName = "train") -> DataSet:
        self.log.append(f"opened {part}")
        return sources.load(name, directory, part)
