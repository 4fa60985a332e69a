from __future__ import annotations

import random

from optuna.trial import TrialState

from search.ledger import Ledger, RungResult
from search.quick_tpe import QuickTPE
from search.seen_study import NarrowStudy
from search.settings import StudySettings
from space.filling import shrink
from space.fitting import parameters


def fill(ledger: Ledger, settings: StudySettings, count: int) -> None:
    """Networks up to a third, two thirds and all of the budget, the larger the more accurate."""
    rng = random.Random(4)
    for place in range(count):
        choices = shrink(settings.space, settings.space.random(rng), settings.budget * (place % 3 + 1) // 3)
        number = ledger.begin(settings.space, choices, settings.budget)
        share = parameters(settings.space, choices) / settings.budget
        ledger.tell_complete(number, RungResult(16, 0.9 * share, 1.0))


def test_only_those_that_exceed_the_aim_are_changed_and_nothing_is_written(
    ledger: Ledger, settings: StudySettings
) -> None:
    fill(ledger, settings, 12)
    study = ledger._study
    before = [dict(trial.constraints) for trial in study.get_trials(deepcopy=False)]
    narrow = NarrowStudy(study, study.get_trials(deepcopy=False), "parameters", 1500)
    found = narrow._get_trials(states=(TrialState.COMPLETE,))
    sizes = [trial.user_attrs["parameters"] for trial in found]
    assert min(sizes) <= 1500 < max(sizes)
    for trial, size in zip(found, sizes, strict=True):
        assert (max(trial.constraints.values()) > 0) == (size > 1500)
        assert trial.constraints.get("aim", size - 1500) == size - 1500
    assert [dict(trial.constraints) for trial in study.get_trials(deepcopy=False)] == before


def test_the_sampler_proposes_smaller_networks_for_a_smaller_aim(ledger: Ledger, settings: StudySettings) -> None:
    fill(ledger, settings, 90)
    sampler = QuickTPE(seed=3)

    def median(aim: int | None) -> int:
        drawn = [parameters(settings.space, ledger.sample(sampler, settings.space, aim)) for _ in range(15)]
        return sorted(drawn)[7]

    assert median(1000) < median(None)
