"""Optuna's TPE, made quick enough to keep many workers busy: its proposals are the same."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.probability_distributions import _BatchedCategoricalDistributions
from optuna.trial import FrozenTrial
from scipy.special import log_ndtr, logsumexp

Floats = NDArray[np.float64]


class QuickTPE(TPESampler):
    """Turns each candidate's choices into numbers once, and takes all ranges together where densities are computed.

    The one was two thirds of a proposal's time in a study of a thousand, the other half of it in a study of five
    hundred: Optuna computes them range by range, and logarithms of the normal distribution by a Python function for
    each number. Candidates without choices teach it nothing.
    """

    def __init__(self, seed: int) -> None:
        # The first proposals are not ours: see search.proposer.STARTUP.
        super().__init__(seed=seed, n_startup_trials=0)
        self._parzen_estimator_cls = _QuickEstimator
        self._known: dict[int, list[float]] = {}

    def _sample(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        before = _truncnorm._log_ndtr
        _truncnorm._log_ndtr = log_ndtr
        try:
            return super()._sample(study, trial, search_space)
        finally:
            _truncnorm._log_ndtr = before

    def _get_internal_repr(
        self, trials: list[FrozenTrial], search_space: dict[str, BaseDistribution], study: Study
    ) -> dict[str, Floats]:
        rows = [self._known.get(trial.number) or self._row(trial, search_space) for trial in trials if trial.params]
        columns = np.array(rows, dtype=float).reshape(len(rows), len(search_space)).T
        return dict(zip(search_space, np.ascontiguousarray(columns), strict=True))

    def _row(self, trial: FrozenTrial, ranges: dict[str, BaseDistribution]) -> list[float]:
        row = [range_.to_internal_repr(trial.params[name]) for name, range_ in ranges.items()]
        self._known[trial.number] = row
        return row


class _QuickEstimator(_ParzenEstimator):
    def log_pdf(self, samples_dict: dict[str, Floats]) -> Floats:
        """(samples,): the logarithm of the mixture's density at each; all ranges are choices or whole numbers."""
        mixture = self._mixture_distribution
        total = np.log(mixture.weights)[None, :]
        numbers = []
        for name, kernels in zip(samples_dict, mixture.distributions, strict=True):
            values, place = np.unique(samples_dict[name], return_inverse=True)
            if isinstance(kernels, _BatchedCategoricalDistributions):
                total = total + np.log(kernels.weights.T[values.astype(int)])[place]
            else:
                numbers.append(_Numbers.of(values, place, kernels))
        if numbers:
            masses = _log_mass(*(np.concatenate(ends) for ends in zip(*(one.ends for one in numbers), strict=True)))
            ends = np.cumsum([one.ends[0].size for one in numbers])
            for one, mass in zip(numbers, np.split(masses, ends[:-1]), strict=True):
                total = total + one.density(mass)
        found: Floats = logsumexp(total, axis=1)
        return found


class _Numbers(NamedTuple):
    """One range of whole numbers: the values sampled, and the different ones among its kernels."""

    ends: tuple[Floats, Floats]
    """(values + 1) x kernels, flat: between what the mass is to be taken, of each value and of the whole range."""
    value: NDArray[np.intp]
    """(samples,): which value."""
    kernel: NDArray[np.intp]
    """(mixture,): which kernel."""

    @classmethod
    def of(cls, values: Floats, value: NDArray[np.intp], kernels: Any) -> Self:
        """Many candidates chose the same value, so that their kernels are the same."""
        different, kernel = np.unique(kernels.mu + 1j * kernels.sigma, return_inverse=True)
        half = kernels.step / 2
        edges = np.array([[*values - half, kernels.low - half], [*values + half, kernels.high + half]])
        if kernels.is_log:
            edges = np.log(edges)
        left, right = (edges[..., None] - different.real) / different.imag
        return cls((left.ravel(), right.ravel()), value, kernel)

    def density(self, mass: Floats) -> Floats:
        """(samples, mixture): of each sample by each kernel, given the masses between the ends."""
        table = mass.reshape(-1, self.kernel.max() + 1)
        found: Floats = (table[:-1] - table[-1])[np.ix_(self.value, self.kernel)]
        return found


def _log_mass(left: Floats, right: Floats) -> Floats:
    """The logarithm of the standard normal distribution's mass between `left` and `right`, which is larger."""
    is_right = left + right > 0  # where both ends are mirrored, so that no two numbers near 1 are subtracted
    low, high = np.where(is_right, -right, left), np.where(is_right, -left, right)
    outer, inner = log_ndtr(low), log_ndtr(high)
    found: Floats = inner + np.log1p(-np.exp(outer - inner))
    return found
