from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optuna
import pytest

from search.ledger import Ledger
from search.proposer import AGAIN, ASKS, PROJECTED, PUBLISHED, RANDOM, STARTUP, Proposal, Proposer
from search.settings import StudySettings
from search.wish import SAMPLED
from space.candidate import State
from space.filling import settle
from space.fitting import largest, parameters, smallest
from space.identity import identity
from space.known_points import starts
from space.notation import read
from space.ranges import Value
from space.search_space import FILL, FULL
from workers.job import Job


class Stubborn(optuna.samplers.RandomSampler):
    """Always proposes the same choices."""

    def __init__(self, choices: dict[str, Value]) -> None:
        super().__init__()
        self.choices = choices
        self.asked = 0
        """Values."""

    def sample_independent(self, study: object, trial: object, param_name: str, param_distribution: object) -> Value:
        self.asked += 1
        return self.choices[param_name]


def proposer(
    ledger: Ledger, settings: StudySettings, sampler: optuna.samplers.BaseSampler | None = None, **more: Any
) -> Proposer:
    sampler = sampler or optuna.samplers.RandomSampler(seed=1)
    return Proposer(ledger, settings, sampler, **{"trials": 1000, "cold_start": True} | more)


def propose(source: Proposer) -> Proposal:
    (proposal,) = source.propose()
    assert isinstance(proposal, Proposal)
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
    asked = largest(settings.space)
    assert 2900 <= read(propose(proposer(ledger, settings, Stubborn(asked))).line).totals.parameters <= 3000
    found = [(candidate.state, candidate.origin) for candidate in ledger.candidates()]
    assert found == [(State.OVER_BUDGET, SAMPLED), (State.RUNNING, PROJECTED)]
    rejected, projected = ledger.choices().values()
    assert rejected == asked
    assert projected == settle(settings.space, asked, settings.budget)


def test_a_network_is_as_full_as_it_says_and_the_sampler_is_told_what_is_trained(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    asked = {**smallest(settings.space), "depth1": 3, "growth1.2": -8, FILL: 80}
    assert 2300 < read(propose(proposer(ledger, settings, Stubborn(asked))).line).totals.parameters <= 2400
    (trained,) = ledger.choices().values()
    assert trained == settle(settings.space, asked, settings.budget) != asked
    assert parameters(settings.space, trained) == ledger.candidate(0).parameters
    assert ledger.candidate(0).identity == identity(settings.space.architecture(trained))


def test_a_network_that_is_known_is_asked_again_and_then_drawn_at_random(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    sampler = Stubborn({**smallest(settings.space), FILL: 100})
    source = proposer(ledger, settings, sampler)
    first = propose(source)
    before = sampler.asked
    second = propose(source)
    assert sampler.asked - before == ASKS * len(settings.space.dimensions)
    assert second.line != first.line
    assert ledger.candidate(second.number).origin in (RANDOM, PROJECTED)


def test_the_sampler_is_told_each_time_that_it_asked_for_too_much(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    monkeypatch.setattr("search.proposer.ASKS", 3)
    source = proposer(ledger, settings, Stubborn(largest(settings.space)))
    for _ in range(2):
        propose(source)
    told = [candidate.origin for candidate in ledger.candidates() if candidate.state == State.OVER_BUDGET]
    assert told.count(SAMPLED) == 1 + 3


def test_a_network_that_is_known_may_be_repeated_instead(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    source = proposer(ledger, settings, Stubborn({**smallest(settings.space), FILL: 100}))
    first = propose(source)
    job = Job(kind="repeat", candidate=first.number, line=first.line, epochs=16, fold=0, seed=7)
    asked: list[int] = []

    def repeat(number: int) -> Job:
        asked.append(number)
        return job

    assert source.propose(1, repeat) == [job]
    assert asked == [first.number]
    assert len(ledger.candidates()) == 1


def test_drivers_with_the_same_proposals_never_train_the_same_network(
    open_ledger: Callable[[], Ledger], settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    monkeypatch.setattr("search.proposer.ASKS", 2)
    asked = {**smallest(settings.space), FILL: 100}
    sources = [proposer(open_ledger(), settings, Stubborn(asked), ordinal=ordinal) for ordinal in range(3)]
    for source in sources * 2:
        propose(source)
    known = [one.identity for one in open_ledger().candidates() if one.state != State.OVER_BUDGET]
    assert len(set(known)) == len(known) == 6


def test_a_small_space_comes_to_its_end(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 5)
    monkeypatch.setattr("search.proposer.ASKS", 5)
    monkeypatch.setattr("search.proposer.DRAWS", 10)
    settings = StudySettings.make("digits", 40, 0.9)
    source = proposer(ledger, settings)
    lines = []
    while found := source.propose():
        lines += [one.line for one in found]
    assert source.is_spent
    assert len(set(lines)) == len(lines) < 1000
    first = next(one for one in ledger.candidates() if one.state == State.RUNNING)
    ledger.tell_failed(first.number, "interrupted: the run ended", interrupted=True)
    source.look_for_interrupted()
    assert propose(source).line == first.line
    source.aim_at(source.aims)
    assert source.is_spent
    source.aim_at((39,))
    assert not source.is_spent


def test_draws_are_fitted_to_each_aim_in_turn_and_only_what_no_budget_allows_is_told_pruned(ledger: Ledger) -> None:
    settings = StudySettings.make("digits", (1000, 3000, 100_000), 0.9)
    source = proposer(ledger, settings, ordinal=2)
    sizes = [propose(source).parameters for _ in range(12)]
    for aim, fitted in zip(settings.budgets, (sizes[::3], sizes[1::3], sizes[2::3]), strict=True):
        assert max(fitted) <= aim
    assert max(sizes[1::3]) > 1000
    assert max(sizes[2::3]) > 3000
    assert not any(candidate.state == State.OVER_BUDGET for candidate in ledger.candidates())
    told = [trial.constraints["parameters"] for trial in ledger._study.get_trials(deepcopy=False)]
    assert told == [size - 100_000 for size in sizes]


def test_what_is_over_the_studys_budget_is_told_so_whatever_is_aimed_at(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    most = largest(settings.space)
    source = proposer(ledger, settings, Stubborn(most))
    source.aim_at((500,))
    assert propose(source).parameters <= 500
    over = parameters(settings.space, most) - 3000
    assert ledger._study.get_trials(deepcopy=False)[0].constraints == {"parameters": over}


def test_what_is_too_large_by_now_is_not_asked_again(
    open_ledger: Callable[[], Ledger], settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    dead = propose(proposer(open_ledger(), settings, Stubborn(largest(settings.space))))
    ledger = open_ledger()
    ledger.fail_abandoned(lambda: {ledger.driver})
    source = proposer(ledger, settings)
    source.aim_at((dead.parameters - 1,))
    source.look_for_interrupted()
    assert propose(source).parameters < dead.parameters


def test_published_networks_that_are_too_large_by_now_are_left_out(ledger: Ledger) -> None:
    source = proposer(ledger, StudySettings.make("mnist", 10_000, 0.99), cold_start=False)
    source.aim_at((6000,))
    asked = [ledger.candidate(propose(source).number) for _ in range(12)]
    published = [candidate for candidate in asked if candidate.origin.startswith(PUBLISHED)]
    assert published
    assert max(candidate.parameters for candidate in asked) <= 6000


def test_the_published_networks_that_fit_come_first_and_once(open_ledger: Callable[[], Ledger]) -> None:
    settings = StudySettings.make("mnist", 6000, 0.99)
    fitting = [start.name for start in starts(settings.space, [6000])]
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
    propose(proposer(ledger, settings, optuna.samplers.RandomSampler(seed=2)))
    asked = [candidate.origin for candidate in ledger.candidates() if candidate.origin != PROJECTED]
    assert asked == [*[RANDOM] * STARTUP, *[SAMPLED] * 3]


def test_the_first_draws_are_full_and_later_ones_as_full_as_they_say(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 12)
    monkeypatch.setattr("search.proposer.ASKS", 0)  # draws go on
    source = proposer(ledger, settings)
    numbers = [propose(source).number for _ in range(60)]
    asked = [ledger.choices()[number][FILL] for number in numbers]
    assert set(asked[:12]) == {FULL}
    assert len(set(asked[12:])) > 1


def test_drivers_that_begin_together_draw_different_networks(
    open_ledger: Callable[[], Ledger], settings: StudySettings
) -> None:
    sources = [proposer(open_ledger(), settings, ordinal=ordinal) for ordinal in range(3)]
    assert len({propose(source).line for source in sources}) == 3


def test_a_study_has_no_more_candidates_than_it_may(open_ledger: Callable[[], Ledger], settings: StudySettings) -> None:
    sources = [proposer(open_ledger(), settings, trials=5, ordinal=ordinal) for ordinal in range(2)]
    numbers = [found.number for source in sources * 4 for found in source.propose() if isinstance(found, Proposal)]
    assert len(numbers) == 5
    ledger = open_ledger()
    ledger.tell_failed(numbers[0], "interrupted: the run ended", interrupted=True)
    sources[1].look_for_interrupted()
    assert propose(sources[1]).line == ledger.candidate(numbers[0]).line
    assert not sources[0].propose()


def test_what_is_proposed_together_is_as_different_as_what_is_not(ledger: Ledger, settings: StudySettings) -> None:
    found = proposer(ledger, settings).propose(30)
    assert len(found) == 30
    begun = [one for one in ledger.candidates() if one.state == State.RUNNING]
    assert [one.line for one in begun] == [one.line for one in found]
    assert [one.number for one in begun] == [one.number for one in found if isinstance(one, Proposal)]
    assert len({one.identity for one in begun}) == 30


def test_a_network_that_is_proposed_twice_at_once_is_trained_once(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    source = proposer(ledger, settings, Stubborn({**smallest(settings.space), FILL: 100}))
    assert len(source.propose(5)) == 5
    begun = [one for one in ledger.candidates() if one.state == State.RUNNING]
    assert [one.origin for one in begun].count(SAMPLED) == 1
    assert len({one.identity for one in begun}) == 5


def test_published_networks_for_which_there_is_no_room_wait_until_there_is(ledger: Ledger) -> None:
    roomy = StudySettings.make("mnist", 20_000, 0.9)
    published = starts(roomy.space, [20_000])
    source = proposer(ledger, roomy, trials=2, cold_start=False)
    first = source.propose(len(published))
    assert len(first) == 2 < len(published)
    for one in first:
        assert isinstance(one, Proposal)
        ledger.tell_failed(one.number, "interrupted: the run ended", interrupted=True)
    source.propose(2)
    origins = [one.origin for one in ledger.candidates()]
    assert origins == [PUBLISHED + start.name for start in published[:4]]


def test_together_no_more_are_proposed_than_the_study_may_have(ledger: Ledger, settings: StudySettings) -> None:
    source = proposer(ledger, settings, trials=5)
    assert [len(source.propose(3)) for _ in range(3)] == [3, 2, 0]
