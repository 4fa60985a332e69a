"""Which choices of the search space say most about how good a candidate is."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from search.ledger import Ledger
from search.records import distributions
from search.settings import StudySettings
from space.candidate import Candidate
from space.ranges import Choices

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

_FEWEST = 10
"""Trained candidates."""
_MOST = 1000
"""Trained candidates that are compared, which takes a quarter of a second."""
_BEST = 0.1
"""Share of the candidates that are told from all of them."""
_FEWEST_BEST = 5
"""What Optuna's documentation advises for a stable analysis."""


def importance(ledger: Ledger, candidates: Sequence[Candidate]) -> dict[str, float]:
    """Shares that add up to 1, by the name of a choice, the largest first; empty where too few are trained.

    How well a choice tells the best tenth, and at least five, of the trained candidates from all of them: PED-ANOVA
    (Watanabe et al. 2023, arxiv.org/abs/2304.10255), as Optuna has it. They are compared by their accuracy at the
    lowest rung, which all of them have trained for; of more than a thousand every n-th is taken.
    """
    choices = ledger.choices()
    trained = [(choices[one.number], one.rungs) for one in candidates if one.rungs and one.number in choices]
    lowest = min((epochs for _, rungs in trained for epochs in rungs), default=0)
    rung = [(chosen, rungs[lowest]) for chosen, rungs in trained if lowest in rungs]
    trials = _trials(StudySettings.from_json(ledger.settings), rung[:: max(1, ceil(len(rung) / _MOST))])
    return _shares(trials) if len(trials) >= _FEWEST and len({trial.value for trial in trials}) > 1 else {}


def _trials(settings: StudySettings, rung: Sequence[tuple[Choices, float]]) -> list[FrozenTrial]:
    """Finished trials of these choices; without those that today's space does not have."""
    from optuna.trial import create_trial

    ranges = distributions(settings.space)
    found = []
    for chosen, accuracy in rung:
        try:
            found.append(create_trial(params=dict(chosen), distributions=ranges, value=accuracy))
        except ValueError:
            continue
    return found


def _shares(trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """By choice, of trials whose values differ."""
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    least = _least_of_the_best([trial.value or 0.0 for trial in trials])
    study = optuna.create_study(direction="maximize")
    study.add_trials(trials)
    best = sum((trial.value or 0.0) >= least for trial in trials)
    evaluator = PedAnovaImportanceEvaluator(target_quantile=(best - 0.5) / len(trials))
    return {name: float(share) for name, share in get_param_importances(study, evaluator=evaluator).items()}


def _least_of_the_best(values: Sequence[float]) -> float:
    """The value that a tenth, and at least five, reach; among ties at the lowest value the next one above it."""
    count = max(_FEWEST_BEST, round(_BEST * len(values)))
    least, lowest = sorted(values, reverse=True)[count - 1], min(values)
    return least if least > lowest else min(value for value in values if value > lowest)
