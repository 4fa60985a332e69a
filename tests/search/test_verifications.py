from __future__ import annotations

from collections.abc import Iterator

import pytest

from search import storage
from search.storage import Store
from search.verifications import Verifications, by_length

CONFUSION = ((8, 2), (1, 9))


@pytest.fixture
def opened(any_database: str) -> Iterator[Store]:
    store = storage.open_or_create(storage.parse(any_database))
    yield store
    store.close()


def add(record: Verifications, number: int, place: int, weights: bytes = b"\x00weights", epochs: int = 16) -> None:
    record.add(number, place, seed=2**32 - 1 - place, epochs=epochs, seconds=1.5, weights=weights)


def test_a_training_has_weights_at_once_and_an_accuracy_once_it_is_tested(opened: Store) -> None:
    record = Verifications(opened, "study")
    add(record, 7, 1)
    assert record.trained(7, 16) == {1}
    assert record.packed(7, 16, 1) == b"\x00weights"
    assert record.tested() == {}
    record.record_test(7, 16, 1, CONFUSION)
    ((found,),) = record.tested().values()
    assert (found.place, found.seed, found.epochs, found.seconds) == (1, 2**32 - 2, 16, 1.5)
    assert (found.accuracy, found.confusion) == (0.85, CONFUSION)


def test_the_first_of_two_that_are_the_same_stays(opened: Store) -> None:
    record = Verifications(opened, "study")
    add(record, 7, 0, b"first")
    record.record_test(7, 16, 0, CONFUSION)
    add(record, 7, 0, b"second")
    assert record.packed(7, 16, 0) == b"first"
    assert len(record.tested()[7]) == 1


def test_they_are_told_by_candidate_and_in_order_of_their_places(opened: Store) -> None:
    record = Verifications(opened, "study")
    for number, place in ((7, 2), (3, 0), (7, 0)):
        add(record, number, place)
        record.record_test(number, 16, place, CONFUSION)
    found = record.tested()
    assert {number: [run.place for run in runs] for number, runs in found.items()} == {3: [0], 7: [0, 2]}


def test_the_longest_count_and_the_others_stay(opened: Store) -> None:
    record = Verifications(opened, "study")
    add(record, 7, 0)
    add(record, 7, 0, b"longer", epochs=64)
    record.record_test(7, 16, 0, CONFUSION)
    assert [len(runs) for runs in by_length(record.tested()[7])] == [1, 0]
    record.record_test(7, 64, 0, CONFUSION)
    assert [[run.epochs for run in runs] for runs in by_length(record.tested()[7])] == [[64], [16]]
    assert (record.packed(7, 16, 0), record.packed(7, 64, 0)) == (b"\x00weights", b"longer")


def test_studies_do_not_share_them(opened: Store) -> None:
    add(Verifications(opened, "study"), 7, 0)
    other = Verifications(opened, "other")
    assert other.trained(7, 16) == set()
    assert other.packed(7, 16, 0) is None
