"""A study as a sampler shall see it: candidates that were read before, or fewer of them that count as within budget."""

from __future__ import annotations

from collections.abc import Container, Sequence
from copy import copy

from optuna import Study
from optuna.trial import FrozenTrial, TrialState

_AIM = "aim"


def aim_of(study: Study) -> int | None:
    """The most parameters that the next network may have, where that is less than the study's budget."""
    return study.aim if isinstance(study, NarrowStudy) else None


class SeenStudy(Study):
    """The same study, of which nothing is read again."""

    def __init__(self, study: Study, trials: Sequence[FrozenTrial]) -> None:
        self.__dict__.update(vars(study))
        self._seen = trials

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
        use_cache: bool = False,
    ) -> list[FrozenTrial]:
        return [trial for trial in self._seen if states is None or trial.state in states]


class NarrowStudy(SeenStudy):
    """Candidates with more parameters than are aimed at count as over the budget.

    What is stored is how far each exceeds the study's own budget, which never changes. Were that all that the sampler
    saw, the largest networks, which are the best, would be its examples, and nearly all that it proposed would have to
    be shrunk. Here its examples are those that fit, and the others tell it by their excess where the aim is.
    """

    def __init__(self, study: Study, trials: Sequence[FrozenTrial], parameters: str, aim: int) -> None:
        """`parameters` is the user attribute that has them; `aim` is the most that the next network may have."""
        super().__init__(study, [_narrowed(trial, trial.user_attrs.get(parameters, 0) - aim) for trial in trials])
        self.aim = aim


def _narrowed(trial: FrozenTrial, excess: int) -> FrozenTrial:
    if excess <= 0:
        return trial
    trial = copy(trial)
    trial.system_attrs = dict(trial.system_attrs)
    trial.set_constraint(_AIM, excess)
    return trial
