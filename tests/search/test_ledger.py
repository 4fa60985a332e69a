from __future__ import annotations

from collections.abc import Callable

import optuna
import pytest

from search import storage
from search.errors import NotFoundError
from search.ledger import MOST_ATTEMPTS, Ledger, names, own_names
from search.settings import StudySettings
from space.candidate import Confirmation, State
from space.notation import write
from workers.job import Trained


@pytest.fixture(autouse=True)
def random_sampler(ledger: Ledger) -> None:
    ledger.use(optuna.samplers.RandomSampler(seed=0), optuna.pruners.NopPruner())


def ask(ledger: Ledger, settings: StudySettings) -> optuna.trial.Trial:
    trial, choices = ledger.ask(settings.space)
    ledger.describe(trial, settings.space.architecture(choices), seed=7)
    return trial


def test_every_range_is_asked_and_the_record_describes_the_network(ledger: Ledger, settings: StudySettings) -> None:
    trial, choices = ledger.ask(settings.space)
    architecture = settings.space.architecture(choices)
    ledger.describe(trial, architecture, seed=7)
    candidate = ledger.candidate(0)
    assert choices.keys() == {dimension.name for dimension in settings.space.dimensions}
    assert candidate.state == State.RUNNING
    assert candidate.line == write(architecture)
    assert candidate.parameters == architecture.totals.parameters
    assert candidate.macs == architecture.totals.macs
    assert candidate.seed == 7


def test_each_end_is_told_with_its_reason(ledger: Ledger, settings: StudySettings) -> None:
    outcome = Trained(epochs=1, accuracy=0.5, loss=1.0, seconds=2.0)
    over, pruned, complete, failed = (ask(ledger, settings) for _ in range(4))
    ledger.tell_over_budget(over, 3100, 3000)
    ledger.report(pruned, outcome)
    ledger.tell_pruned(pruned, 1, 4)
    ledger.report(complete, outcome)
    ledger.tell_complete(complete, 0.5)
    ledger.tell_failed(failed, "the training loss became nan")
    found = ledger.candidates()
    assert [candidate.state for candidate in found] == [
        State.OVER_BUDGET,
        State.PRUNED,
        State.COMPLETE,
        State.FAILED,
    ]
    assert found[0].reason == "3100 parameters, 100 over the budget of 3000"
    assert found[1].reason == "not in the best 1 of 4 after 1 epochs"
    assert (found[2].accuracy, found[2].seconds) == (0.5, 2.0)
    assert found[3].reason == "the training loss became nan"


def test_rungs_add_up_their_seconds(ledger: Ledger, settings: StudySettings) -> None:
    trial = ask(ledger, settings)
    for epochs, accuracy in ((1, 0.5), (4, 0.7)):
        ledger.report(trial, Trained(epochs=epochs, accuracy=accuracy, loss=1.0, seconds=2.0))
    candidate = ledger.candidate(0)
    assert candidate.rungs == {1: 0.5, 4: 0.7}
    assert candidate.seconds == 4.0


def test_what_a_dead_driver_left_is_failed_and_asked_again_with_the_same_choices(
    open_ledger: Callable[[], Ledger], settings: StudySettings
) -> None:
    dead = open_ledger()
    trial, choices = dead.ask(settings.space)
    alive = open_ledger()
    alive.fail_abandoned()
    assert alive.candidate(trial.number).state == State.FAILED
    ((number, again),) = alive.interrupted(settings.space)
    assert (number, again) == (trial.number, choices)
    alive.enqueue(again, "again", number)
    _, repeated = alive.ask(settings.space)
    assert repeated == choices
    assert alive.interrupted(settings.space) == []


def test_a_candidate_is_not_asked_again_for_ever(ledger: Ledger, settings: StudySettings) -> None:
    ask(ledger, settings)
    for _ in range(MOST_ATTEMPTS - 1):
        ledger.fail_abandoned()
        ((number, choices),) = ledger.interrupted(settings.space)
        ledger.enqueue(choices, "again", number)
        ask(ledger, settings)
    ledger.fail_abandoned()
    assert ledger.interrupted(settings.space) == []


def test_a_candidate_that_failed_by_itself_is_not_asked_again(ledger: Ledger, settings: StudySettings) -> None:
    ledger.tell_failed(ask(ledger, settings), "the training loss became nan")
    assert ledger.interrupted(settings.space) == []


def test_a_half_asked_candidate_is_not_asked_again(ledger: Ledger, settings: StudySettings) -> None:
    ledger._study.ask()  # killed before a single range was suggested
    ledger.fail_abandoned()
    assert ledger.interrupted(settings.space) == []


def test_confirmations_and_the_winner_are_kept(open_ledger: Callable[[], Ledger], settings: StudySettings) -> None:
    ledger = open_ledger()
    ledger.tell_complete(ask(ledger, settings), 0.9)
    for place, accuracy in ((2, 0.7), (0, 0.9)):
        ledger.record_confirmation(0, place, Confirmation(fold=place + 1, seed=5, accuracy=accuracy, seconds=1.0))
    ledger.record_winner(0)
    again = open_ledger()
    assert again.winner == 0
    assert [confirmation.fold for confirmation in again.candidate(0).confirmations] == [1, 3]
    assert again.candidate(0).confirmed_accuracy == pytest.approx(0.8)


def test_a_study_keeps_the_settings_it_was_made_with(open_ledger: Callable[[], Ledger], database: str) -> None:
    before = open_ledger().settings
    store = storage.open_storage(storage.parse(database))
    Ledger.create(store, "study", StudySettings.make("digits", 999, 0.5))
    assert open_ledger().settings == before


def test_what_is_not_there_is_said(ledger: Ledger, database: str) -> None:
    store = storage.open_storage(storage.parse(database))
    assert names(store) == ["study"]
    with pytest.raises(NotFoundError, match=r"no study is called other \(there are: study\)"):
        Ledger.open(store, "other")
    with pytest.raises(NotFoundError, match="study study has no candidate 3"):
        ledger.candidate(3)


def test_a_study_of_somebody_else_is_not_read(database: str) -> None:
    store = storage.open_storage(storage.parse(database))
    optuna.create_study(storage=store, study_name="foreign")
    with pytest.raises(NotFoundError, match="not one of petitnet's"):
        Ledger.open(store, "foreign")
    assert "foreign" in names(store)
    assert "foreign" not in own_names(store)
