"""Optuna's TPE, made quick enough to keep many workers busy."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.probability_distributions import _BatchedCategoricalDistributions
from optuna.samplers._tpe.sampler import _split_trials, default_gamma
from optuna.trial import FrozenTrial, TrialState
from scipy.special import log_ndtr, logsumexp

from search.seen_study import aim_of

Floats = NDArray[np.float64]
RENEWAL = 100
"""A model serves until one trial in so many is new to it."""


class QuickTPE(TPESampler):
    """Draws several proposals from one model: the study is looked through again when it has grown by a hundredth.

    Below a hundred trials its proposals are Optuna's own. A model takes much longer to make than a draw from it: Optuna
    turns all choices into numbers and computes densities range by range, each time. Candidates without choices teach it
    nothing.
    """

    def __init__(self, seed: int) -> None:
        # The first proposals are not ours: see search.proposer.STARTUP.
        super().__init__(seed=seed, n_startup_trials=0)
        self._parzen_estimator_cls = _QuickEstimator
        self._known: dict[int, list[float]] = {}
        self._models: dict[int | None, _Model] = {}
        """By what is aimed at: that decides which candidates are good ones."""

    def _sample(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        model = self._model(study, search_space)
        samples = model.good.sample(self._rng.rng, self._n_ei_candidates)
        best = np.argmax(model.good.log_pdf(samples) - model.others.log_pdf(samples))
        return {name: range_.to_external_repr(samples[name][best].item()) for name, range_ in search_space.items()}

    def _model(self, study: Study, ranges: dict[str, BaseDistribution]) -> _Model:
        trials = study._get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED), use_cache=True)
        aim = aim_of(study)
        known = self._models.get(aim)
        if known is None or (len(trials) - known.trials) * RENEWAL >= len(trials):
            good, others = (
                self._build_parzen_estimator(study, ranges, part, handle_below=place == 0)
                for place, part in enumerate(_split_trials(study, trials, default_gamma(len(trials))))
            )
            known = self._models[aim] = _Model(len(trials), good, others)
        return known

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


class _Model(NamedTuple):
    """What TPE makes of a study: the densities of good and of other choices."""

    trials: int
    """It was made of so many."""
    good: _ParzenEstimator
    others: _ParzenEstimator


class _QuickEstimator(_ParzenEstimator):
    """A density over ranges of choices and of whole numbers."""

    def sample(self, rng: np.random.RandomState, size: int) -> dict[str, Floats]:
        """As Optuna's, which computes logarithms of the normal distribution by a Python function for each number."""
        before = _truncnorm._log_ndtr
        _truncnorm._log_ndtr = log_ndtr
        try:
            found: dict[str, Floats] = super().sample(rng, size)
        finally:
            _truncnorm._log_ndtr = before
        return found

    def log_pdf(self, samples_dict: dict[str, Floats]) -> Floats:
        """(samples,): the logarithm of the mixture's density at each."""
        weights = self._mixture_distribution.weights
        samples = len(next(iter(samples_dict.values())))
        total = np.tile(np.log(weights), (samples, 1))
        for table, values in zip(self._tables, samples_dict.values(), strict=True):
            total += table.rows[np.rint((values - table.low) / table.step).astype(int)]
        found: Floats = logsumexp(total, axis=1)
        return found

    @cached_property
    def _tables(self) -> list[_Table]:
        """Of each range."""
        kernels = self._mixture_distribution.distributions
        numbers = [_Numbers.of(one) for one in kernels if not isinstance(one, _BatchedCategoricalDistributions)]
        tables = iter(_tabulated(numbers))
        return [
            _Table(np.log(one.weights.T)) if isinstance(one, _BatchedCategoricalDistributions) else next(tables)
            for one in kernels
        ]


class _Table(NamedTuple):
    """The logarithm of each kernel's density at all values of one range."""

    rows: Floats
    """(values, mixture)"""
    low: float = 0.0
    """The value that the first row is of."""
    step: float = 1.0
    """From a row to the next."""


class _Numbers(NamedTuple):
    """One range of whole numbers: its values, and the different ones among its kernels."""

    ends: tuple[Floats, Floats]
    """(values + 1) x kernels, flat: between what the mass is to be taken, of each value and of the whole range."""
    kernel: NDArray[np.intp]
    """(mixture,): which kernel."""
    low: float
    step: float

    @classmethod
    def of(cls, kernels: Any) -> Self:
        """Many candidates chose the same value, so that their kernels are the same."""
        different, kernel = np.unique(kernels.mu + 1j * kernels.sigma, return_inverse=True)
        half = kernels.step / 2
        values = np.arange(kernels.low, kernels.high + half, kernels.step)
        edges = np.array([[*values - half, kernels.low - half], [*values + half, kernels.high + half]])
        if kernels.is_log:
            edges = np.log(edges)
        left, right = (edges[..., None] - different.real) / different.imag
        return cls((left.ravel(), right.ravel()), kernel, kernels.low, kernels.step)

    def table(self, mass: Floats) -> _Table:
        """From the masses between the ends."""
        rows = mass.reshape(-1, self.kernel.max() + 1)
        return _Table((rows[:-1] - rows[-1])[:, self.kernel], self.low, self.step)


def _tabulated(numbers: list[_Numbers]) -> list[_Table]:
    """Those of all ranges of whole numbers at once."""
    if not numbers:
        return []
    masses = _log_mass(*(np.concatenate(ends) for ends in zip(*(one.ends for one in numbers), strict=True)))
    ends = np.cumsum([one.ends[0].size for one in numbers])
    return [one.table(mass) for one, mass in zip(numbers, np.split(masses, ends[:-1]), strict=True)]


def _log_mass(left: Floats, right: Floats) -> Floats:
    """The logarithm of the standard normal distribution's mass between `left` and `right`, which is larger."""
    is_right = left + right > 0  # where both ends are mirrored, so that no two numbers near 1 are subtracted
    low, high = np.where(is_right, -right, left), np.where(is_right, -left, right)
    outer, inner = log_ndtr(low), log_ndtr(high)
    found: Floats = inner + np.log1p(-np.exp(outer - inner))
    return found
