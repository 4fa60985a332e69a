from __future__ import annotations

import random

import optuna
import pytest

from search.ledger import SAMPLED, Ledger
from search.proposer import PATIENCE, RANDOM, SHRUNK, STARTUP, Proposer, Wish
from search.settings import StudySettings
from space.candidate import State
from space.fitting import largest, parameters, smallest
from space.ranges import Value


class Stubborn(optuna.samplers.RandomSampler):
    """Always proposes the same choices."""

    def __init__(self, choices: dict[str, Value]) -> None:
        super().__init__()
        self.choices = choices

    def sample_independent(self, study: object, trial: object, param_name: str, param_distribution: object) -> Value:
        return self.choices[param_name]


def proposer(ledger: Ledger, settings: StudySettings, wishes: list[Wish] | None = None) -> Proposer:
    return Proposer(ledger, settings.space, settings, wishes or [])


@pytest.mark.parametrize(("budget", "proposals"), [(40, 1), (1000, 3), (10_000, 3)])
def test_no_proposal_is_over_the_budget(ledger: Ledger, budget: int, proposals: int) -> None:
    settings = StudySettings.make("digits", budget, 0.9)
    ledger.use(optuna.samplers.RandomSampler(seed=1), optuna.pruners.NopPruner())
    source = proposer(ledger, settings)
    for _ in range(proposals):
        assert source.propose().architecture.totals.parameters <= budget


def test_what_is_over_the_budget_is_told_pruned_with_its_count_and_its_excess(
    ledger: Ledger, settings: StudySettings
) -> None:
    most = largest(settings.space)
    ledger.use(optuna.samplers.RandomSampler(seed=1), optuna.pruners.NopPruner())
    proposer(ledger, settings, [Wish(most, "too large")]).propose()
    first = ledger.candidate(0)
    count = parameters(settings.space, most)
    assert (first.state, first.origin, first.parameters) == (State.OVER_BUDGET, "too large", count)
    assert first.reason == f"{count} parameters, {count - 3000} over the budget of 3000"
    told = ledger._study.get_trials(deepcopy=False)[0]
    assert told.state == optuna.trial.TrialState.PRUNED
    assert told.constraints == {"parameters": count - 3000}


def test_a_run_never_starves(ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    ledger.use(Stubborn(largest(settings.space)), optuna.pruners.NopPruner())
    source = proposer(ledger, settings)
    for _ in range(2):
        assert source.propose().architecture.totals.parameters <= 3000
    states = [candidate.state for candidate in ledger.candidates()]
    assert states == [*[State.OVER_BUDGET] * PATIENCE, State.RUNNING] * 2
    assert ledger.candidate(PATIENCE).origin == SHRUNK


def test_wishes_come_first_and_in_order(ledger: Ledger, settings: StudySettings) -> None:
    ledger.use(optuna.samplers.RandomSampler(seed=1), optuna.pruners.NopPruner())
    least = smallest(settings.space)
    source = proposer(ledger, settings, [Wish(least, "first"), Wish(least, "second")])
    assert [ledger.candidate(source.propose().trial.number).origin for _ in range(2)] == ["first", "second"]


def test_the_first_candidates_are_drawn_by_the_odds_of_the_space_and_then_the_sampler_proposes(
    ledger: Ledger, settings: StudySettings
) -> None:
    ledger.use(optuna.samplers.RandomSampler(seed=1), optuna.pruners.NopPruner())
    source = proposer(ledger, settings)
    origins = [ledger.candidate(source.propose().trial.number).origin for _ in range(STARTUP + 2)]
    assert origins == [*[RANDOM] * STARTUP, SAMPLED, SAMPLED]
    resumed = proposer(ledger, settings)
    assert ledger.candidate(resumed.propose().trial.number).origin == SAMPLED


def test_every_candidate_has_a_seed_of_its_own(ledger: Ledger, settings: StudySettings) -> None:
    ledger.use(optuna.samplers.RandomSampler(seed=random.Random(0).randrange(99)), optuna.pruners.NopPruner())
    source = proposer(ledger, settings)
    assert len({source.propose().seed for _ in range(5)}) == 5
