"""What trainings cost on this machine, by a fit to the networks that were timed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from search.calibration import Calibration
from search.settings import StudySettings
from space.architecture import Architecture
from workers.dataset import FOLDS
from workers.schedule import steps_per_epoch
from workers.sources import find

Floats = NDArray[np.float64]


class Prices(NamedTuple):
    """Seconds of each of several networks, on one slot."""

    epoch: Floats
    """The training steps of an epoch."""
    validation: Floats
    """What a training ends with."""

    def training(self, epochs: int) -> Floats:
        """A whole training."""
        return epochs * self.epoch + self.validation


class Pricing:
    """A step, and the validation of an image, take so much in any case, and more for each MAC, value and layer.

    The values are those that layers put out: by them norms and pools take their time.
    """

    def __init__(self, calibration: Calibration, settings: StudySettings, networks: Sequence[Architecture]) -> None:
        """`networks` are those whose prices are wanted."""
        images = find(settings.dataset).images
        validated = images // FOLDS
        steps = steps_per_epoch(images - validated, settings.recipe.batch)
        self._wanted, self._timed = features(networks), features(calibration.networks)
        self._epochs = steps * np.array([pace.step for pace in calibration.paces])
        self._validations = validated * np.array([pace.image for pace in calibration.paces])

    def sample(self, rng: np.random.Generator) -> Prices:
        """Prices by a sample, with replacement, of those timed: the bootstrap of Efron (1979)."""
        chosen = rng.integers(len(self._timed), size=len(self._timed))
        timed = self._timed[chosen]
        return Prices(
            self._wanted @ coefficients(timed, self._epochs[chosen]),
            self._wanted @ coefficients(timed, self._validations[chosen]),
        )


def features(networks: Sequence[Architecture]) -> Floats:
    """(networks, 4): one, MACs, values that layers put out, layers."""
    rows = [
        (1, network.totals.macs, sum(prod(row.shape) for row in network.rows()), len(network.layers))
        for network in networks
    ]
    return np.array(rows, dtype=float)


def coefficients(features: Floats, seconds: Floats) -> Floats:
    """Seconds for one of each feature, none negative, by the least squares of relative errors (Lawson, Hanson 1974)."""
    scale = features.mean(axis=0)
    found, _ = nnls(features / scale / seconds[:, None], np.ones(len(seconds)))
    return np.asarray(found / scale)
