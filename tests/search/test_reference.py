from __future__ import annotations

import pytest

from search.errors import NotFoundError
from search.ledger import Ledger
from search.reference import Reference, all_confirmed, confirmed, parse
from search.settings import StudySettings
from search.storage import Store
from space.filling import shrink
from space.fitting import largest, smallest


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("mnist-10000-0.994", Reference("mnist-10000-0.994", None)),
        ("mnist-10000-0.994/80", Reference("mnist-10000-0.994", 80)),
        ("team/mnist", Reference("team/mnist", None)),
        ("team/mnist/0", Reference("team/mnist", 0)),
        ("team/mnist/", Reference("team/mnist/", None)),
        ("mnist/-1", Reference("mnist/-1", None)),
        ("mnist/²", Reference("mnist/²", None)),
        ("/7", Reference("/7", None)),
        ("7", Reference("7", None)),
    ],
)
def test_digits_after_the_last_slash_are_a_candidate(place: str, expected: Reference) -> None:
    assert parse(place) == expected


def test_a_study_alone_means_its_winner(ledger: Ledger, settings: StudySettings) -> None:
    for _ in range(3):
        ledger.begin(settings.space, smallest(settings.space), settings.budget)
    with pytest.raises(NotFoundError, match="study study has no confirmed winner yet; name a candidate"):
        confirmed(ledger.store, "study")
    ledger.record_winner(1)
    found, candidate = confirmed(ledger.store, "study")
    assert (found.name, candidate.number) == ("study", 1)
    assert confirmed(ledger.store, "study/2")[1].number == 2


def test_of_several_budgets_all_winners_are_meant_or_the_smallest_of_them(store: Store) -> None:
    settings = StudySettings.make("digits", (1000, 3000), 0.9)
    ledger = Ledger.create(store, "several", settings)
    for budget in (3000, 1000):
        choices = shrink(settings.space, largest(settings.space), budget)
        ledger.record_winner(ledger.begin(settings.space, choices, settings.budget))
    assert [candidate.number for candidate in all_confirmed(store, "several")[1]] == [1, 0]
    assert confirmed(store, "several")[1].number == 1
    assert [candidate.number for candidate in all_confirmed(store, "several/0")[1]] == [0]


@pytest.mark.parametrize("place", ["study/0", "nothing", "nothing/1"])
def test_what_is_not_there_is_not_found(ledger: Ledger, place: str) -> None:
    with pytest.raises(NotFoundError, match=r"no (candidate|study)"):
        confirmed(ledger.store, place)
