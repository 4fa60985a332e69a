"""A study as a sampler shall see it that proposes for less than the study's whole budget."""

from __future__ import annotations

from copy import copy
from typing import Any

from optuna import Study
from optuna.trial import FrozenTrial

_AIM = "aim"


class NarrowStudy(Study):
    """The same candidates, of which those with more parameters than are aimed at count as over the budget.

    What is stored is how far each exceeds the study's own budget, which never changes. Were that all that the sampler
    saw, the largest networks, which are the best, would be its examples, and nearly all that it proposed would have to
    be shrunk. Here its examples are those that fit, and the others tell it by their excess where the aim is.
    """

    def __init__(self, study: Study, parameters: str, aim: int) -> None:
        """`parameters` is the user attribute that has them; `aim` is the most that the next network may have."""
        super().__init__(study.study_name, study._storage)
        self._parameters = parameters
        self._aim = aim

    def _get_trials(self, *arguments: Any, **named: Any) -> list[FrozenTrial]:
        return [self._narrowed(trial) for trial in super()._get_trials(*arguments, **named)]

    def _narrowed(self, trial: FrozenTrial) -> FrozenTrial:
        excess = trial.user_attrs.get(self._parameters, 0) - self._aim
        if excess <= 0:
            return trial
        trial = copy(trial)
        trial.system_attrs = dict(trial.system_attrs)
        trial.set_constraint(_AIM, excess)
        return trial
