from __future__ import annotations

import random

import pytest

from search.guided import ENOUGH, Guided
from search.ledger import Ledger, RungResult
from search.settings import StudySettings
from space.filling import settle
from space.ranges import Choices
from space.search_space import FILL, FULL


def teach(ledger: Ledger, settings: StudySettings, count: int = 40, epochs: int = 1) -> None:
    """Random networks, of which those with a bias, and the larger ones, have fewer errors."""
    rng = random.Random(3)
    for _ in range(count):
        choices = settle(settings.space, settings.space.random(rng), settings.budget)
        number = ledger.begin(settings.space, choices, settings.budget)
        error = 0.2 * 0.3 ** bool(choices["bias"]) * (300 / ledger.candidate(number).parameters) ** 0.5
        ledger.tell_pruned(number, RungResult(epochs, 1 - min(0.9, error), 1.0), "a test")


def asked(ledger: Ledger, settings: StudySettings, count: int = 12, aim: int | None = None) -> list[Choices]:
    sampler = Guided(settings.space, 7, settings.budget)
    return [ledger.sample(sampler, settings.space, aim) for _ in range(count)]


@pytest.mark.parametrize("epochs", [1, 4])
def test_proposes_what_short_trainings_say_is_good(ledger: Ledger, settings: StudySettings, epochs: int) -> None:
    teach(ledger, settings, epochs=epochs)
    found = asked(ledger, settings)
    assert sum(bool(choices["bias"]) for choices in found) >= 11  # 30 % of random draws
    networks = [settings.space.architecture(settle(settings.space, one, settings.budget)) for one in found]
    assert sum(one.totals.parameters > 0.9 * settings.budget for one in networks) >= 9
    assert len(set(networks)) == len(networks)


def test_candidates_are_compared_with_those_of_the_same_length(ledger: Ledger, settings: StudySettings) -> None:
    """Those trained for longer have fewer errors, whatever they are: here these are the ones without a bias."""
    teach(ledger, settings)
    rng = random.Random(4)
    for _ in range(20):
        choices = settings.space.random(rng) | {"bias": False, FILL: FULL}
        number = ledger.begin(settings.space, settle(settings.space, choices, settings.budget), settings.budget)
        ledger.tell_complete(number, RungResult(16, 0.99, 1.0))
    assert sum(bool(choices["bias"]) for choices in asked(ledger, settings)) >= 11


def test_networks_are_judged_as_they_would_be_trained(ledger: Ledger, settings: StudySettings) -> None:
    """For a smaller aim the same draws are made smaller, and are others."""
    teach(ledger, settings)
    found = asked(ledger, settings, aim=800)
    networks = [settings.space.architecture(settle(settings.space, one, 800)) for one in found]
    assert all(one.totals.parameters <= 800 for one in networks)
    assert sum(one.totals.parameters > 0.9 * 800 for one in networks) >= 9
    assert len(set(networks)) == len(networks)


def test_too_few_results_predict_nothing(ledger: Ledger, settings: StudySettings) -> None:
    teach(ledger, settings, ENOUGH - 1)
    assert {bool(choices["bias"]) for choices in asked(ledger, settings)} == {False, True}
