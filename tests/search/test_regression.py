from __future__ import annotations

import numpy as np
import pytest

from search.regression import Floats, Regression

TRUE = np.array([0.5, -0.3, 0.0, 0.0, 0.2])


def observed(count: int, noise: float, seed: int = 1) -> tuple[Floats, Floats]:
    """Centred features, and a target that depends on them as TRUE says."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, len(TRUE)))
    x -= x.mean(axis=0)
    y = x @ TRUE + noise * rng.standard_normal(count)
    return x, y - y.mean()


def test_many_observations_tell_the_coefficients() -> None:
    found = Regression.fit(*observed(2000, 0.3))
    assert found.mean == pytest.approx(TRUE, abs=0.03)


def test_the_posterior_is_that_of_the_precisions_it_finds() -> None:
    """At 2,000 observations the prior hardly counts, so that it is least squares' own covariance."""
    x, y = observed(2000, 0.3)
    found = Regression.fit(x, y)
    assert found.root @ found.root.T == pytest.approx(0.3**2 * np.linalg.inv(x.T @ x), rel=0.1, abs=1e-6)


def test_draws_scatter_as_the_posterior_does() -> None:
    found, rng = Regression.fit(*observed(12, 0.3)), np.random.default_rng(2)
    drawn = np.array([found.draw(rng) for _ in range(4000)])
    assert drawn.mean(axis=0) == pytest.approx(found.mean, abs=0.02)
    assert np.cov(drawn.T) == pytest.approx(found.root @ found.root.T, rel=0.2, abs=2e-3)


def test_few_noisy_observations_are_drawn_towards_zero() -> None:
    x, y = observed(8, 2.0, seed=3)
    least_squares = np.linalg.lstsq(x, y, rcond=None)[0]
    assert np.linalg.norm(Regression.fit(x, y).mean) < 0.7 * np.linalg.norm(least_squares)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.zeros((0, 3)), np.zeros(0)),
        (np.zeros((4, 3)), np.zeros(4)),
        (np.zeros((4, 3)), np.array([1.0, -1.0, 1.0, -1.0])),
        (np.eye(3) - 1 / 3, np.zeros(3)),
    ],
)
def test_what_says_nothing_leaves_coefficients_at_zero(x: Floats, y: Floats) -> None:
    found = Regression.fit(x, y)
    assert found.mean == pytest.approx(np.zeros(3))
    assert np.isfinite(found.root).all()
