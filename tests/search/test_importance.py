from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from search.importance import importance
from search.ledger import Ledger, RungResult
from search.settings import StudySettings
from space.candidate import PrunedFrom
from space.notation import read

Accuracy = Callable[[dict[str, object]], float]


def train(ledger: Ledger, settings: StudySettings, count: int, accuracy: Accuracy, epochs: int = 1) -> None:
    """Candidates with random choices, whose accuracy follows from these."""
    rng = random.Random(count)
    for _ in range(count):
        choices = settings.space.random(rng)
        number = ledger.begin(settings.space, choices, settings.budget)
        ledger.tell_complete(number, RungResult(epochs, accuracy(dict(choices)), 1.0))


def by_bias(choices: dict[str, object]) -> float:
    """A world in which nothing but a bias counts."""
    return 0.9 if choices["bias"] else 0.5


def found(ledger: Ledger) -> dict[str, float]:
    return importance(ledger, ledger.candidates())


def test_what_decides_is_the_most_important(ledger: Ledger, settings: StudySettings) -> None:
    train(ledger, settings, 40, by_bias)
    shares = found(ledger)
    assert next(iter(shares)) == "bias"
    assert shares.keys() == {dimension.name for dimension in settings.space.dimensions}
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)


def test_few_candidates_and_such_as_are_all_alike_say_nothing(ledger: Ledger, settings: StudySettings) -> None:
    assert found(ledger) == {}
    train(ledger, settings, 9, by_bias)
    assert found(ledger) == {}


def test_candidates_that_are_all_alike_say_nothing(ledger: Ledger, settings: StudySettings) -> None:
    train(ledger, settings, 12, lambda _: 0.5)
    assert found(ledger) == {}


def test_candidates_are_compared_at_the_rung_that_all_have(ledger: Ledger, settings: StudySettings) -> None:
    train(ledger, settings, 20, by_bias)
    before = found(ledger)
    train(ledger, settings, 10, lambda _: 0.99, epochs=16)
    assert found(ledger) == before


def test_what_pruning_made_and_what_is_over_budget_is_left_out(ledger: Ledger, settings: StudySettings) -> None:
    train(ledger, settings, 20, by_bias)
    before = found(ledger)
    ledger.reject(settings.space, settings.space.random(random.Random(1)), 10)
    slim = PrunedFrom(parent=0, what="weights", keep=0.5, rounds=1, round=1)
    ledger.add_pruned(read(ledger.candidate(0).line), 100, slim, RungResult(1, 0.99, 1.0))
    assert found(ledger) == before


@pytest.mark.parametrize("good", [1, 3, 39])
def test_ties_tell_the_best_from_the_others_all_the_same(ledger: Ledger, settings: StudySettings, good: int) -> None:
    accuracies = iter([0.9] * good + [0.5] * (40 - good))
    train(ledger, settings, 40, lambda _: next(accuracies))
    shares = found(ledger)
    assert sum(shares.values()) == pytest.approx(1)
    assert len(set(shares.values())) > 2


def test_choices_that_the_space_no_longer_has_are_left_out(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(ledger, settings, 20, by_bias)
    choices = ledger.choices()
    monkeypatch.setattr(ledger, "choices", lambda: {n: dict(one) | {"head": "gone"} for n, one in choices.items()})
    assert found(ledger) == {}


def test_of_very_many_every_nth_is_compared(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(ledger, settings, 30, by_bias)
    monkeypatch.setattr("search.importance._MOST", 12)
    monkeypatch.setattr("search.importance._shares", lambda trials: {"trials": len(trials)})
    assert found(ledger) == {"trials": 10}
