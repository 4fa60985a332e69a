"""A world that answers for every network of the space, fitted to the table.

Searches propose networks that no table holds. As in NAS-Bench-301 (Zela et al. 2022, arxiv.org/abs/2008.09777), what a
training would come to is a regression's prediction from what can be read off an architecture, plus what the regression
cannot explain: a deviation that belongs to the network (it is drawn from its identity, and as large as the regression's
error on networks that it was not fitted to), and one that belongs to the seed, drawn again for each training. All of
it is in the logarithm of the number of images wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.model_selection import cross_val_predict

from benchmarks.tabular.table import IMAGES, RUNGS, SEEDS, Table, load
from space.architecture import Architecture
from space.features import follows, looking
from space.identity import identity
from space.layers import BatchNorm, Conv, DepthwiseConv, Dropout, Flatten, Linear, MaxPool, ReLU

Floats = NDArray[np.float64]
_CONVOLUTIONS = 8
"""Whose filters, kernels and maps are features of their own; those of networks with more are left out."""
_SEED = 301


def features(architecture: Architecture) -> list[float]:
    """What a regression may know of a network."""
    rows = architecture.rows()
    shapes = [architecture.input, *(row.shape for row in rows)]
    pairs = [(layer, before) for layer, before in zip(architecture.layers, shapes, strict=False)]
    convolutions = [(layer, before) for layer, before in pairs if isinstance(layer, Conv)]
    windows = looking(architecture.layers)
    totals = architecture.totals
    found = [
        log(totals.parameters),
        log(totals.macs),
        len(convolutions),
        sum(layer.kernel > 1 for layer in windows),
        *(
            sum(isinstance(layer, kind) for layer in architecture.layers)
            for kind in (BatchNorm, ReLU, MaxPool, Linear, DepthwiseConv)
        ),
        sum(layer.rate for layer, _ in pairs if isinstance(layer, Dropout)),
        sum(layer.bias for layer, _ in convolutions),
        sum(layer.padding > 0 for layer in windows),
        follows(architecture.layers, Conv, BatchNorm),
        follows(architecture.layers, ReLU, BatchNorm),
        *_ending(architecture),
    ]
    for place in range(_CONVOLUTIONS):
        if place < len(convolutions):
            (layer, before), window = convolutions[place], windows[place]
            found += [log(layer.filters), window.kernel, before[1], window is not layer]
        else:
            found += [0.0, 0, 0, False]
    return found


def _ending(architecture: Architecture) -> tuple[bool, int, float]:
    """Whether maps are flattened, the side of the last map, and the narrowest convolution but the last."""
    maps = [row.shape for row in architecture.rows() if len(row.shape) == 3]
    filters = [layer.filters for layer in architecture.layers if isinstance(layer, Conv)][:-1]
    return any(isinstance(layer, Flatten) for layer in architecture.layers), maps[-1][1], log(min(filters, default=1))


@dataclass(frozen=True)
class World:
    """What trainings come to, by network, epochs and seed."""

    models: tuple[GradientBoostingRegressor, ...]
    """By rung."""
    own: Floats
    """(rungs, rungs): covariance of the deviation that belongs to a network."""
    seeds: Floats
    """(rungs,): standard deviation between seeds."""
    explained: float
    """Share of the variance after the last rung that the regression explains, on networks that it was not fitted to."""
    ranks: float
    """Spearman's correlation of the two there."""

    @classmethod
    def fit(cls, table: Table) -> World:
        """The world of a table."""
        x = np.array([features(one) for one in table.architectures])
        each = np.log(table.wrong + 0.5)
        y = each.mean(axis=2)
        seeds = np.sqrt(each.var(axis=2, ddof=1).mean(axis=0))
        errors = y - np.stack([cross_val_predict(_model(), x, column, cv=5) for column in y.T], axis=1)
        own = np.cov(errors.T) - np.diag(seeds**2 / SEEDS)
        last = errors[:, -1]
        return cls(
            models=tuple(_model().fit(x, column) for column in y.T),
            own=own,
            seeds=seeds,
            explained=1 - last.var() / y[:, -1].var(),
            ranks=spearmanr(y[:, -1] - last, y[:, -1]).statistic,
        )

    def means(self, architectures: list[Architecture]) -> Floats:
        """(networks, rungs): true accuracies, each the mean over all seeds' logarithms."""
        x = np.array([features(one) for one in architectures])
        predicted = np.stack([model.predict(x) for model in self.models], axis=1)
        return np.stack([row + self._own(one) for row, one in zip(predicted, architectures, strict=True)])

    def _own(self, architecture: Architecture) -> Any:
        rng = np.random.default_rng(int(identity(architecture), 16))
        return rng.multivariate_normal(np.zeros(len(RUNGS)), self.own, method="eigh")

    def once(self, mean: Floats, epochs: int, rng: np.random.Generator) -> float:
        """Accuracy of one training of a network with these `means`; a fraction."""
        place = RUNGS.index(epochs)
        found = float(accuracy(mean[place] + self.seeds[place] * rng.standard_normal()))
        return round(found * IMAGES) / IMAGES


def _model() -> GradientBoostingRegressor:
    """Friedman's stochastic gradient boosting (2002)."""
    return GradientBoostingRegressor(
        n_estimators=400, max_depth=4, learning_rate=0.05, subsample=0.5, random_state=_SEED
    )


def accuracy(logarithm: Any) -> Any:
    """With so many images wrong, as the table counts them; fractions of an image too."""
    return 1 - np.clip(np.exp(logarithm) - 0.5, 0, IMAGES) / IMAGES


@cache
def world() -> World:
    """That of the committed table."""
    return World.fit(load())
