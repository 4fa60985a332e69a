from __future__ import annotations

import random
from statistics import median
from typing import Any

import optuna
import pytest

from search.ledger import Ledger, RungResult
from search.quick_tpe import QuickTPE, _QuickEstimator
from search.settings import StudySettings
from space.fitting import parameters


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


def test_a_model_serves_until_enough_is_new(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.quick_tpe.RENEWAL", 4)
    quick, rng, made = QuickTPE(seed=7), random.Random(3), []

    class Counted(_QuickEstimator):
        def __init__(self, *arguments: Any) -> None:
            made.append(len(ledger.candidates()))
            super().__init__(*arguments)

    monkeypatch.setattr(quick, "_parzen_estimator_cls", Counted)
    for _ in range(12):
        number = ledger.begin(settings.space, settings.space.random(rng), 10**6)
        ledger.tell_complete(number, RungResult(16, rng.random(), 1.0))
        ledger.sample(quick, settings.space)
        ledger.sample(quick, settings.space)
    assert made[::2] == [1, 2, 3, 4, 6, 8, 11]


def test_what_is_aimed_at_has_a_model_of_its_own(ledger: Ledger, settings: StudySettings) -> None:
    rng = random.Random(3)
    for _ in range(40):
        choices = settings.space.random(rng)
        number = ledger.begin(settings.space, choices, 10**6)
        ledger.tell_complete(number, RungResult(16, parameters(settings.space, choices) / 1e6, 1.0))
    quick = QuickTPE(seed=7)
    sizes = [
        [parameters(settings.space, ledger.sample(quick, settings.space, aim)) for _ in range(20)]
        for aim in (None, 500)
    ]
    assert median(sizes[1]) < median(sizes[0]) / 2
