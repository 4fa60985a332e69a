from __future__ import annotations

import random

import optuna

from search.ledger import Ledger, RungResult
from search.quick_tpe import QuickTPE
from search.settings import StudySettings


def test_its_proposals_are_those_of_optunas_own_tpe(ledger: Ledger, settings: StudySettings) -> None:
    rng = random.Random(3)
    quick = QuickTPE(seed=7)
    plain = optuna.samplers.TPESampler(seed=7, n_startup_trials=0)
    for place in range(24):
        choices = settings.space.random(rng)
        if place % 3 == 0:
            ledger.reject(settings.space, choices, 10)
        elif place % 7 == 0:
            ledger.begin(settings.space, choices, settings.budget)
        else:
            number = ledger.begin(settings.space, choices, settings.budget)
            ledger.tell_complete(number, RungResult(16, rng.random(), 1.0))
        assert ledger.sample(quick, settings.space) == ledger.sample(plain, settings.space)
