from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from search.ledger import Ledger, RungResult
from search.settings import StudySettings
from space.candidate import Confirmation, Run


@pytest.fixture
def trained(open_ledger: Callable[[], Ledger], settings: StudySettings) -> Ledger:
    """With one candidate, which has reached the top rung."""
    ledger = open_ledger()
    number = ledger.begin(settings.space, settings.space.random(random.Random(1)), settings.budget)
    ledger.tell_complete(number, RungResult(16, 0.9, 2.0))
    return ledger


def test_confirmations_are_kept_by_their_places(open_ledger: Callable[[], Ledger], trained: Ledger) -> None:
    for place, accuracy in ((2, 0.7), (0, 0.9)):
        found = Confirmation(fold=place + 1, seed=5, accuracy=accuracy, seconds=1.0)
        trained.reruns.record_confirmation(0, place, found)
    trained.record_winner(0)
    again = open_ledger()
    assert again.winner == 0
    assert again.reruns.confirmations(0).keys() == {0, 2}
    assert [confirmation.fold for confirmation in again.candidate(0).confirmations] == [1, 3]
    assert again.candidate(0).confirmed_accuracy == pytest.approx(0.8)


def test_a_confirmation_is_taken_on_by_one_driver_until_that_dies(open_ledger: Callable[[], Ledger]) -> None:
    one, other = open_ledger(), open_ledger()
    both = {one.driver, other.driver}
    assert one.reruns.claim_confirmation(0, 0, one.driver, both)
    assert not other.reruns.claim_confirmation(0, 0, other.driver, both)
    assert other.reruns.claim_confirmation(0, 1, other.driver, both)
    assert one.reruns.claim_confirmation(0, 0, one.driver, both)  # its own, once more
    assert other.reruns.claim_confirmation(0, 0, other.driver, {other.driver})
    other.reruns.record_confirmation(0, 0, Confirmation(fold=1, seed=5, accuracy=0.9, seconds=1.0))
    assert not one.reruns.claim_confirmation(0, 0, one.driver, {one.driver})


def test_repeats_are_kept_and_claimed_apart_from_confirmations(
    open_ledger: Callable[[], Ledger], trained: Ledger
) -> None:
    one, other = trained, open_ledger()
    both = {one.driver, other.driver}
    assert one.reruns.claim_confirmation(0, 1, one.driver, both)
    assert other.reruns.claim_repeat(0, 1, other.driver, both)
    assert not one.reruns.claim_repeat(0, 1, one.driver, both)
    for place, accuracy in ((2, 0.7), (1, 0.8)):
        other.reruns.record_repeat(0, place, Run(seed=place, accuracy=accuracy, seconds=1.0))
    assert not other.reruns.claim_repeat(0, 1, other.driver, {other.driver})
    found = open_ledger().candidate(0)
    assert [run.accuracy for run in found.runs] == [0.9, 0.8, 0.7]
    assert found.accuracy == pytest.approx(0.8)
    assert found.confirmations == ()
