from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optuna
import pytest

from search.ledger import SAMPLED, Ledger
from search.proposer import AGAIN, PROJECTED, PUBLISHED, RANDOM, STARTUP, Proposal, Proposer
from search.settings import StudySettings
from space.candidate import State
from space.fitting import largest, parameters
from space.known_points import published_in
from space.notation import read
from space.ranges import Value


class Stubborn(optuna.samplers.RandomSampler):
    """Always proposes the same choices."""

    def __init__(self, choices: dict[str, Value]) -> None:
        super().__init__()
        self.choices = choices

    def sample_independent(self, study: object, trial: object, param_name: str, param_distribution: object) -> Value:
        return self.choices[param_name]


def proposer(
    ledger: Ledger, settings: StudySettings, sampler: optuna.samplers.BaseSampler | None = None, **more: Any
) -> Proposer:
    sampler = sampler or optuna.samplers.RandomSampler(seed=1)
    return Proposer(ledger, settings, sampler, **{"trials": 1000, "cold_start": True} | more)


def propose(source: Proposer) -> Proposal:
    proposal = source.propose()
    assert proposal is not None
    return proposal


@pytest.mark.parametrize(("budget", "proposals"), [(40, 1), (1000, 3), (10_000, 3)])
def test_no_proposal_is_over_the_budget(ledger: Ledger, budget: int, proposals: int) -> None:
    source = proposer(ledger, StudySettings.make("digits", budget, 0.9))
    for _ in range(proposals):
        assert read(propose(source).line).totals.parameters <= budget


def test_what_is_over_the_budget_is_told_pruned_with_its_count_and_its_excess(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    most = largest(settings.space)
    propose(proposer(ledger, settings, Stubborn(most)))
    first = ledger.candidate(0)
    count = parameters(settings.space, most)
    assert (first.state, first.origin, first.parameters) == (State.OVER_BUDGET, SAMPLED, count)
    assert first.reason == f"{count} parameters, {count - 3000} over the budget of 3000"
    told = ledger._study.get_trials(deepcopy=False)[0]
    assert told.state == optuna.trial.TrialState.PRUNED
    assert told.constraints == {"parameters": count - 3000}


def test_what_is_over_the_budget_is_followed_by_its_projection(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    source = proposer(ledger, settings, Stubborn(largest(settings.space)))
    for _ in range(2):
        assert 1500 <= read(propose(source).line).totals.parameters <= 3000
    found = [(candidate.state, candidate.origin) for candidate in ledger.candidates()]
    assert found == [(State.OVER_BUDGET, SAMPLED), (State.RUNNING, PROJECTED)] * 2


def test_the_published_networks_that_fit_come_first_and_once(open_ledger: Callable[[], Ledger]) -> None:
    settings = StudySettings.make("mnist", 6000, 0.99)
    fitting = [network.name for network, _ in published_in(settings.space) if network.parameters <= 6000]
    one, other = (proposer(open_ledger(), settings, cold_start=False) for _ in range(2))
    ledger = open_ledger()
    asked = [ledger.candidate(propose(source).number) for source in (one, other) * len(fitting)]
    published = [candidate.origin.removeprefix(PUBLISHED) for candidate in asked[: len(fitting)]]
    assert published == fitting
    assert not any(candidate.origin.startswith(PUBLISHED) for candidate in asked[len(fitting) :])


def test_an_interrupted_candidate_is_asked_again_by_one_driver(
    open_ledger: Callable[[], Ledger], settings: StudySettings
) -> None:
    dead = propose(proposer(open_ledger(), settings))
    one, other = open_ledger(), open_ledger()
    sources = [proposer(one, settings), proposer(other, settings)]
    one.fail_abandoned(lambda: {one.driver, other.driver})
    for source in sources:
        source.look_for_interrupted()
    again = [one.candidate(propose(source).number) for source in sources]
    assert [candidate.origin == f"{AGAIN}{dead.number}" for candidate in again] == [True, False]
    assert again[0].line == dead.line


def test_the_first_candidates_are_drawn_by_the_odds_of_the_space_and_then_the_sampler_proposes(
    ledger: Ledger, settings: StudySettings
) -> None:
    source = proposer(ledger, settings)
    for _ in range(STARTUP + 2):
        propose(source)
    propose(proposer(ledger, settings))
    asked = [candidate.origin for candidate in ledger.candidates() if candidate.origin != PROJECTED]
    assert asked == [*[RANDOM] * STARTUP, *[SAMPLED] * 3]


def test_drivers_that_begin_together_draw_different_networks(
    open_ledger: Callable[[], Ledger], settings: StudySettings
) -> None:
    sources = [proposer(open_ledger(), settings, ordinal=ordinal) for ordinal in range(3)]
    assert len({propose(source).line for source in sources}) == 3


def test_a_study_has_no_more_candidates_than_it_may(open_ledger: Callable[[], Ledger], settings: StudySettings) -> None:
    sources = [proposer(open_ledger(), settings, trials=5, ordinal=ordinal) for ordinal in range(2)]
    numbers = [proposal.number for source in sources * 4 if (proposal := source.propose()) is not None]
    assert len(numbers) == 5
    ledger = open_ledger()
    ledger.tell_failed(numbers[0], "interrupted: the run ended", interrupted=True)
    sources[1].look_for_interrupted()
    assert propose(sources[1]).line == ledger.candidate(numbers[0]).line
    assert sources[0].propose() is None
