from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

import optuna
import pytest

from search.errors import NotFoundError
from search.ledger import MOST_ATTEMPTS, Ledger, RungResult, names, own_names
from search.promotion import Reached
from search.settings import StudySettings
from search.storage import Store
from space.architecture import Architecture
from space.candidate import PrunedFrom, State
from space.filling import shrink
from space.fitting import largest
from space.identity import identity
from space.notation import write
from space.ranges import Value


@pytest.fixture
def draw(settings: StudySettings) -> Callable[[], dict[str, Value]]:
    rng = random.Random(1)
    return lambda: settings.space.random(rng)


Draw = Callable[[], dict[str, Value]]


def begin(ledger: Ledger, settings: StudySettings, choices: dict[str, Value], again: int | None = None) -> int:
    return ledger.begin(settings.space, choices, settings.budget, again=again)


def test_a_candidate_is_written_down_whole(ledger: Ledger, settings: StudySettings, draw: Draw) -> None:
    choices = draw()
    architecture = settings.space.architecture(choices)
    candidate = ledger.candidate(begin(ledger, settings, choices))
    assert candidate.state == State.RUNNING
    assert candidate.line == write(architecture)
    assert candidate.parameters == architecture.totals.parameters
    assert candidate.macs == architecture.totals.macs
    (stored,) = ledger._study.get_trials()
    assert stored.params == choices
    assert stored.constraints == {"parameters": architecture.totals.parameters - settings.budget}


def test_the_losses_of_each_rung_and_when_it_was_are_kept(
    open_ledger: Callable[[], Ledger], settings: StudySettings, draw: Draw
) -> None:
    ledger = open_ledger()
    before = datetime.now(UTC)
    number = begin(ledger, settings, draw())
    ledger.report(number, RungResult(1, 0.4, 1.0, (0.123456789,)))
    assert ledger.candidate(number).ended is None
    ledger.tell_complete(number, RungResult(4, 0.5, 5.0, (0.9, 0.5, 0.25, 0.125)))
    for reader in (ledger, open_ledger()):
        candidate = reader.candidate(number)
        assert candidate.losses == {1: (0.12346,), 4: (0.9, 0.5, 0.25, 0.125)}
        assert candidate.begun is not None
        assert candidate.ended is not None
        assert before <= candidate.begun <= candidate.ended <= datetime.now(UTC)


def test_every_candidate_has_a_seed_of_its_own_that_lasts(
    open_ledger: Callable[[], Ledger], settings: StudySettings, draw: Draw
) -> None:
    ledger = open_ledger()
    for _ in range(3):
        begin(ledger, settings, draw())
    seeds = [candidate.seed for candidate in ledger.candidates()]
    assert len(set(seeds)) == 3
    assert [candidate.seed for candidate in open_ledger().candidates()] == seeds


def test_the_sampler_chooses_a_value_for_every_range_and_writes_nothing(
    ledger: Ledger, settings: StudySettings, draw: Draw
) -> None:
    for _ in range(12):
        ledger.tell_complete(begin(ledger, settings, draw()), RungResult(16, 0.5, 2.0))
    for sampler in (optuna.samplers.TPESampler(seed=0, n_startup_trials=0), optuna.samplers.RandomSampler(seed=0)):
        choices = ledger.sample(sampler, settings.space)
        assert list(choices) == [dimension.name for dimension in settings.space.dimensions]
        assert settings.space.architecture(choices)
    assert len(ledger.candidates()) == 12


def test_each_end_is_told_with_its_reason(ledger: Ledger, settings: StudySettings, draw: Draw) -> None:
    over = ledger.reject(settings.space, draw(), 10, "too large")
    pruned, complete, failed = (begin(ledger, settings, draw()) for _ in range(3))
    assert ledger.tell_pruned(pruned, RungResult(1, 0.5, 2.0), "not among the best")
    assert ledger.report(complete, RungResult(1, 0.4, 1.0))
    assert ledger.tell_complete(complete, RungResult(16, 0.5, 2.0))
    assert ledger.tell_failed(failed, "the training loss became nan")
    found = ledger.candidates()
    assert [candidate.number for candidate in found] == [over, pruned, complete, failed]
    states = [State.OVER_BUDGET, State.PRUNED, State.COMPLETE, State.FAILED]
    assert [candidate.state for candidate in found] == states
    count = found[0].parameters
    assert found[0].reason == f"{count} parameters, {count - 10} over the budget of 10"
    assert found[1].reason == "not among the best"
    assert (found[2].accuracy, found[2].seconds) == (0.5, 2.0)
    assert found[3].reason == "the training loss became nan"
    assert ledger.rung(1) == [Reached(found[1].parameters, 0.5), Reached(found[2].parameters, 0.4)]


def test_what_a_driver_remembers_of_its_candidates_is_what_is_stored(
    open_ledger: Callable[[], Ledger], settings: StudySettings, draw: Draw
) -> None:
    ledger = open_ledger()
    ledger.reject(settings.space, draw(), 10)
    ends: list[Callable[[int], bool]] = [
        lambda number: ledger.tell_pruned(number, RungResult(1, 0.5, 2.0), "not among the best"),
        lambda number: ledger.tell_complete(number, RungResult(16, 0.75, 3.0)),
        lambda number: ledger.tell_failed(number, "timeout"),
    ]
    for end in ends:
        number = begin(ledger, settings, draw())
        assert ledger.report(number, RungResult(2, 0.25, 1.0))
        assert end(number)
        ledger.candidates()
    remembered, stored = (known._study.get_trials() for known in (ledger, open_ledger()))
    assert [trial.value for trial in stored] == [None, 0.5, 0.75, None]
    for ours, theirs in zip(remembered, stored, strict=True):
        assert (ours.number, ours.state, ours.params, ours.user_attrs, ours.constraints) == (
            theirs.number,
            theirs.state,
            theirs.params,
            theirs.user_attrs,
            theirs.constraints,
        )
        assert (ours.value, ours.intermediate_values) == (theirs.value, theirs.intermediate_values)


def test_what_another_driver_has_closed_stays_as_it_is(
    open_ledger: Callable[[], Ledger], settings: StudySettings, draw: Draw
) -> None:
    slow, quick = open_ledger(), open_ledger()
    number = begin(slow, settings, draw())
    quick.fail_abandoned(lambda: {quick.driver})
    assert not slow.report(number, RungResult(1, 0.5, 1.0))
    assert not slow.tell_complete(number, RungResult(16, 0.5, 1.0))
    assert slow.candidate(number).state == State.FAILED
    assert slow.candidate(number).rungs == {}


def test_what_a_dead_driver_left_is_failed_and_asked_again_with_the_same_choices(
    open_ledger: Callable[[], Ledger], settings: StudySettings, draw: Draw
) -> None:
    dead, alive = open_ledger(), open_ledger()
    choices = draw()
    number, own = begin(dead, settings, choices), begin(alive, settings, draw())
    alive.fail_abandoned(lambda: {alive.driver})
    assert alive.candidate(number).state == State.FAILED
    assert alive.candidate(own).state == State.RUNNING
    assert alive.interrupted(settings.space) == [(number, choices)]
    begin(alive, settings, choices, again=number)
    assert alive.interrupted(settings.space) == []


def test_who_is_alive_is_asked_after_the_candidates_are_read(
    open_ledger: Callable[[], Ledger], settings: StudySettings, draw: Draw
) -> None:
    first, late = open_ledger(), open_ledger()
    begin(first, settings, draw())

    def living() -> set[int]:
        begin(late, settings, draw())
        return {first.driver}

    first.fail_abandoned(living)
    assert [candidate.state for candidate in first.candidates()] == [State.RUNNING, State.RUNNING]


def test_a_candidate_is_not_asked_again_for_ever(ledger: Ledger, settings: StudySettings, draw: Draw) -> None:
    number = begin(ledger, settings, draw())
    for _ in range(MOST_ATTEMPTS - 1):
        ledger.fail_abandoned(set)
        ((number, choices),) = ledger.interrupted(settings.space)
        begin(ledger, settings, dict(choices), again=number)
    ledger.fail_abandoned(set)
    assert ledger.interrupted(settings.space) == []


def test_a_candidate_that_failed_by_itself_is_not_asked_again(
    ledger: Ledger, settings: StudySettings, draw: Draw
) -> None:
    ledger.tell_failed(begin(ledger, settings, draw()), "the training loss became nan")
    assert ledger.interrupted(settings.space) == []


def test_a_candidate_that_an_outage_wrote_twice_is_failed_and_not_asked_again(
    ledger: Ledger, settings: StudySettings, draw: Draw
) -> None:
    kept, stray = (begin(ledger, settings, draw()) for _ in range(2))
    ledger.fail_strays([kept])
    assert [ledger.candidate(number).state for number in (kept, stray)] == [State.RUNNING, State.FAILED]
    assert ledger.interrupted(settings.space) == []


def test_winners_are_kept_in_their_order_each_smaller_than_the_one_before(
    open_ledger: Callable[[], Ledger], settings: StudySettings
) -> None:
    one, other = open_ledger(), open_ledger()
    sizes = (2000, 2800, 1200, 1200, 1500, 400)
    for size in sizes:
        begin(one, settings, shrink(settings.space, largest(settings.space), size))
    before = datetime.now().astimezone().replace(microsecond=0)
    for ledger, number in zip((one, other) * 3, range(6), strict=True):
        ledger.record_winner(number)
    for ledger in (one, other, open_ledger()):
        assert [win.number for win in ledger.trail] == [0, 2, 5]
        assert [win.parameters for win in ledger.trail] == [ledger.candidate(n).parameters for n in (0, 2, 5)]
        assert all(win.when >= before for win in ledger.trail)
        assert ledger.winner == 5


def known(ledger: Ledger, network: Architecture) -> int | None:
    ledger.taken()
    return ledger.known(identity(network))


def test_a_network_is_known_while_it_is_trained_and_afterwards(
    ledger: Ledger, settings: StudySettings, draw: Draw
) -> None:
    choices = draw()
    network = settings.space.architecture(choices)
    assert known(ledger, network) is None
    ledger.reject(settings.space, choices, 10)
    assert known(ledger, network) is None
    first = begin(ledger, settings, choices)
    assert known(ledger, network) == first
    ledger.tell_failed(first, "interrupted: the run ended", interrupted=True)
    assert known(ledger, network) is None
    again = begin(ledger, settings, choices, again=first)
    ledger.tell_pruned(again, RungResult(1, 0.5, 2.0), "not in the best 1 of 4 after 1 epochs")
    assert known(ledger, network) == again
    assert [one.number for one in ledger.same_network(ledger.candidate(again))] == [0, first, again]
    assert ledger.candidate(again).identity == identity(network)


def test_what_pruning_has_made_is_nobody_else(ledger: Ledger, settings: StudySettings, draw: Draw) -> None:
    choices = draw()
    network = settings.space.architecture(choices)
    made = ledger.add_pruned(
        network,
        100,
        PrunedFrom(parent=0, what="weights", keep=0.5, rounds=1, round=1),
        RungResult(16, 0.5, 1.0),
    )
    assert known(ledger, network) is None
    assert [one.number for one in ledger.same_network(ledger.candidate(made))] == [made]


def test_a_study_keeps_the_settings_it_was_made_with(open_ledger: Callable[[], Ledger], store: Store) -> None:
    before = open_ledger().settings
    Ledger.create(store, "study", StudySettings.make("digits", 999, 0.5))
    assert open_ledger().settings == before


def test_what_is_not_there_is_said(ledger: Ledger, store: Store) -> None:
    assert names(store) == ["study"]
    with pytest.raises(NotFoundError, match=r"no study is called other \(there are: study\)"):
        Ledger.open(store, "other")
    with pytest.raises(NotFoundError, match="study study has no candidate 3"):
        ledger.candidate(3)


def test_a_study_of_somebody_else_is_not_read(store: Store) -> None:
    optuna.create_study(storage=store.optuna, study_name="foreign")
    with pytest.raises(NotFoundError, match="not one of petitnet's"):
        Ledger.open(store, "foreign")
    assert "foreign" in names(store)
    assert "foreign" not in own_names(store)


def test_of_no_wishes_nothing_is_written(ledger: Ledger, settings: StudySettings) -> None:
    assert ledger.begin_all([], settings.budget) == []
    assert ledger.candidates() == []
