"""Bayesian linear regression: coefficients with their uncertainty, the noise estimated with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ROUNDS = 30
"""Of re-estimation, at most."""
_CLOSE = 1e-3
"""Relative change of the precisions at which it ends."""
_PRECISIONS = (1e-6, 1e6)
"""Least and most: what says nothing, or fits exactly, would have them 0 or infinite."""


@dataclass(frozen=True)
class Regression:
    """What a target's differences are for differences of the features: its posterior, a normal distribution."""

    mean: Floats
    """(features,): most probable coefficients."""
    root: Floats
    """(features, features): its product with its own transpose is their covariance."""

    @classmethod
    def fit(cls, x: Floats, y: Floats) -> Self:
        """To `x` (observations, features) and `y` (observations,), both centred.

        Precisions of the noise and of the coefficients are those that make the observations most probable (MacKay 1992,
        "Bayesian Interpolation").
        """
        values, vectors = np.linalg.eigh(x.T @ x)
        values = np.maximum(values, 0.0)
        projected, squares = vectors.T @ (x.T @ y), float(y @ y)
        noise, prior = _precision(len(y), squares), 1.0
        for _ in range(_ROUNDS):
            mean = noise * projected / (prior + noise * values)
            determined = float((noise * values / (prior + noise * values)).sum())
            residual = squares - 2 * float(mean @ projected) + float(mean**2 @ values)
            before = noise, prior
            noise = _precision(len(y) - determined, residual)
            prior = _precision(determined, float(mean @ mean))
            if np.allclose(before, (noise, prior), rtol=_CLOSE):
                break
        deviations = 1 / np.sqrt(prior + noise * values)
        mean = noise * projected / (prior + noise * values)
        return cls(vectors @ mean, vectors * deviations)

    def draw(self, rng: np.random.Generator) -> Floats:
        """(features,): coefficients drawn from the posterior."""
        return self.mean + self.root @ rng.standard_normal(len(self.mean))


def _precision(count: float, squares: float) -> float:
    """Of a normal distribution around 0, from as many draws and the sum of their squares."""
    least, most = _PRECISIONS
    return min(most, max(least, count / max(squares, 1 / most)))
