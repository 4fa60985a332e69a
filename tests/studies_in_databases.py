"""Studies in real databases, made up in seconds: candidates of all states, with likely accuracies and times."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from math import exp
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from search import records, storage
from search.ledger import Ledger
from search.settings import StudySettings
from search.storage import Store
from search.wish import Wish
from space.candidate import Confirmation, State
from space.filling import shrink
from space.fitting import parameters
from space.ranges import Choices
from space.search_space import SearchSpace

BEGUN = datetime(2026, 11, 21, 9, 0)
"""When the first candidate was asked, by the local clock."""
_ERROR = 0.0056
"""Of a network of 10,000 parameters after the longest training, about."""
_OVER, _OPEN = 0.35, 0.03
"""Shares of a study: proposals over the budget, and candidates in training still."""
_FAILS, _WAITS = 3, 20
"""Places of the candidate that fails and of the one that nobody has begun."""
_SECONDS = 9.0
"""Of an epoch of such a network."""


def make(
    store: Store,
    name: str,
    candidates: int,
    *,
    budget: int = 10_000,
    target: float = 0.994,
    seed: int = 0,
    is_over: bool = False,
) -> Ledger:
    """A study of MNIST with so many candidates, from 25 on in all states; a third are over budget.

    Nothing is trained; the same seed makes the same study. Of one that `is_over` no candidate is in training.
    """
    settings = StudySettings.make("mnist", budget, target, seed, rungs=(1, 4, 16))
    ledger = Ledger.create(store, name, settings)
    rng = random.Random(seed)
    world = _World(settings, rng, is_over)
    identity = store.optuna.get_study_id_from_name(name)
    store.optuna.create(identity, [world.trial(place, candidates) for place in range(candidates)])
    return ledger


def make_at(url: str, name: str, candidates: int, **settings: Any) -> None:
    """As `make`, in a database that need not be there yet."""
    store = storage.open_or_create(storage.parse(url))
    make(store, name, candidates, **settings)
    store.close()


def over_budget(store: Store, name: str, candidates: int = 5) -> Ledger:
    """A study in which nothing was ever within the budget."""
    settings = StudySettings.make("mnist", 1000, 0.994)
    ledger = Ledger.create(store, name, settings)
    rng = random.Random(1)
    for _ in range(candidates):
        ledger.reject(settings.space, _larger(settings.space, rng, 1000), 1000)
    return ledger


def confirm(ledger: Ledger) -> int:
    """Confirm and verify the best candidate that was trained to the end, as the study's winner; its number."""
    complete = [one for one in ledger.candidates() if one.state == State.COMPLETE]
    best = max(complete, key=lambda one: one.accuracy or 0.0)
    accuracy, number = best.accuracy or 0.0, best.number
    for place, off in enumerate((-0.0006, 0.0002, -0.0001)):
        told = Confirmation(fold=place + 1, seed=place, accuracy=accuracy + off, seconds=160.0)
        ledger.reruns.record_confirmation(number, place, told)
    ledger.record_winner(number)
    for place, wrong in enumerate((61, 55, 66, 58, 60)):
        ledger.verifications.add(number, place, seed=place, epochs=16, seconds=190.0, weights=b"")
        ledger.verifications.record_test(number, 16, place, _confusion(wrong, random.Random(place)))
    return number


def _confusion(wrong: int, rng: random.Random) -> tuple[tuple[int, ...], ...]:
    """Of 10,000 images of ten classes."""
    counts = [[1000 if row == column else 0 for column in range(10)] for row in range(10)]
    for _ in range(wrong):
        row, column = rng.choice([(4, 9), (9, 4), (7, 2), (5, 3), (3, 5), (2, 7), (8, 3), (6, 0), (1, 7)])
        counts[row][row] -= 1
        counts[row][column] += 1
    return tuple(map(tuple, counts))


def _larger(space: SearchSpace, rng: random.Random, budget: int) -> Choices:
    """Choices over a budget."""
    while space.architecture(choices := space.random(rng)).totals.parameters <= budget:
        pass
    return choices


class _World:
    """Where every network has an accuracy, by its size and by luck."""

    def __init__(self, settings: StudySettings, rng: random.Random, is_over: bool) -> None:
        self._settings = settings
        self._is_over = is_over
        self._space = settings.space
        self._rng = rng
        self._now = BEGUN
        self._seen: dict[int, list[float]] = {epochs: [] for epochs in settings.rungs}

    def trial(self, place: int, candidates: int) -> FrozenTrial:
        """The candidate in this place of so many."""
        budget, progress = self._settings.budget, place / candidates
        is_open = not self._is_over and place >= candidates - max(1, round(_OPEN * candidates))
        if self._rng.random() < _OVER and not is_open and place != _FAILS:
            trial = records.over_budget(Wish(self._space, _larger(self._space, self._rng, budget)), budget)
            trial.datetime_start = trial.datetime_complete = self._now
            return trial
        trial = records.in_training(Wish(self._space, self._within(progress)), budget)
        trial.datetime_start = self._now
        self._now += timedelta(seconds=self._rng.uniform(4, 20))
        if place == _WAITS and not self._is_over:
            trial.state, trial.datetime_start = TrialState.WAITING, None
        elif place == _FAILS:
            self._end(trial, TrialState.FAIL, reason="its loss was not finite")
        elif not is_open:
            self._train(trial, progress)
        return trial

    def _within(self, progress: float) -> Choices:
        """Choices for most of the budget, and for more of it later, as a sampler that has learnt proposes them."""
        budget = self._settings.budget
        size = round(budget * self._rng.triangular(0.35, 1.0, 0.6 + 0.4 * progress))
        while parameters(self._space, choices := self._space.random(self._rng)) < budget / 4:
            pass
        found = shrink(self._space, choices, size)
        return found if parameters(self._space, found) >= budget / 4 else self._within(progress)

    def _train(self, trial: FrozenTrial, progress: float) -> None:
        """To the end, or until it is not among the best quarter of a rung."""
        size = trial.user_attrs[records.PARAMETERS]
        error = _ERROR * (10_000 / size) ** 0.6 * exp(self._rng.gauss(0.3 - 0.3 * progress, 0.22))
        state = TrialState.COMPLETE
        for epochs, worse in zip(self._settings.rungs, (2.4, 1.4, 1.0), strict=True):
            self._add_rung(trial, epochs, 1 - min(0.9, error * worse * exp(self._rng.gauss(0, 0.08))))
            if epochs != self._settings.rungs[-1] and not self._is_promoted(epochs, trial.intermediate_values[epochs]):
                state = TrialState.PRUNED
                break
        reason = f"not in the best 1 of 4 after {max(trial.intermediate_values)} epochs"
        self._end(trial, state, reason="" if state == TrialState.COMPLETE else reason)

    def _add_rung(self, trial: FrozenTrial, epochs: int, accuracy: float) -> None:
        trial.intermediate_values[epochs] = round(accuracy, 4)
        falling = [2.1 * (1 - accuracy) ** 0.5 + 1.6 / (epoch + 1) ** 1.4 for epoch in range(epochs)]
        losses = [float(f"{loss * exp(self._rng.gauss(0, 0.02)):.5g}") for loss in falling]
        trial.system_attrs[f"{records.LOSSES}:{epochs}"] = losses

    def _is_promoted(self, epochs: int, accuracy: float) -> bool:
        self._seen[epochs].append(accuracy)
        return accuracy >= sorted(self._seen[epochs])[-1 - len(self._seen[epochs]) // 4]

    def _end(self, trial: FrozenTrial, state: TrialState, reason: str) -> None:
        trial.state = state
        seconds = _SECONDS * sum(trial.intermediate_values) * self._rng.uniform(0.6, 1.2)
        trial.user_attrs |= {records.SECONDS: round(seconds, 1), records.REASON: reason}
        assert trial.datetime_start is not None
        trial.datetime_complete = trial.datetime_start + timedelta(seconds=seconds)
        if trial.intermediate_values and state != TrialState.FAIL:
            trial.value = trial.intermediate_values[max(trial.intermediate_values)]
