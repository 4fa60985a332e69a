from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from search.errors import SearchError, SettingsError
from search.ledger import Ledger, RungResult
from search.settings import StudySettings
from search.site import Site
from search.verify import verify
from space.candidate import Candidate, PrunedFrom
from space.confusion import accuracy
from space.notation import read
from tests.search.bench import Bench
from workers import sources
from workers.job import Failed
from workers.reading import confusion
from workers.weights import unpack


def test_the_test_set_is_not_opened_before_all_trainings_have_ended(
    ledger: Ledger, candidate: Candidate, bench: Bench
) -> None:
    assert verify(ledger, [candidate], 3, Site(), lambda _: None)
    kinds = [entry.split()[0] + entry.split()[1] * entry.startswith("opened") for entry in bench.log]
    assert kinds == ["openedtrain", "trained", "trained", "trained", "openedtest"]
    assert len(set(bench.log)) == 5  # no seed twice
    found = ledger.candidate(candidate.number).verifications
    assert [run.place for run in found] == [0, 1, 2]
    assert ledger.candidates()[candidate.number].verifications == found


def test_what_is_recorded_is_what_the_weights_on_record_reach(
    ledger: Ledger, candidate: Candidate, bench: Bench, tmp_path: Path
) -> None:
    assert verify(ledger, [candidate], 2, Site(), lambda _: None)
    training, test = (sources.load("digits", tmp_path / "data", part) for part in ("train", "test"))
    for run in ledger.candidate(candidate.number).verifications:
        packed = ledger.verifications.packed(candidate.number, run.epochs, run.place)
        assert packed is not None
        found = confusion(read(candidate.line), unpack(packed), test, training)
        assert (run.confusion, run.accuracy) == (found, accuracy(found))


def test_an_interrupted_verification_repeats_no_seed_and_reads_no_test_image(
    ledger: Ledger, candidate: Candidate, bench: Bench
) -> None:
    bench.most = 2
    assert not verify(ledger, [candidate], 3, Site(), lambda _: None)
    assert "opened test" not in bench.log
    assert ledger.candidate(candidate.number).verifications == ()
    before = {entry for entry in bench.log if entry.startswith("trained")}
    bench.log.clear()
    assert verify(ledger, [candidate], 3, Site(), lambda _: None)
    (last,) = (entry for entry in bench.log if entry.startswith("trained"))
    assert last not in before
    assert len(ledger.candidate(candidate.number).verifications) == 3


def test_a_second_verification_says_how_often_the_test_set_was_read(
    ledger: Ledger, candidate: Candidate, bench: Bench
) -> None:
    said: list[str] = []
    assert verify(ledger, [candidate], 2, Site(), said.append)
    assert not any("read before" in line for line in said)
    bench.log.clear()
    said.clear()
    assert verify(ledger, [candidate], 2, Site(), said.append)
    assert said == [f"the test set has been read before in this study: 2 times for #{candidate.number}"]
    assert bench.log == ["opened train"]


def test_longer_trainings_count_and_the_shorter_ones_stay_on_record(
    ledger: Ledger, candidate: Candidate, bench: Bench
) -> None:
    assert verify(ledger, [candidate], 2, Site(), lambda _: None)
    said: list[str] = []
    bench.log.clear()
    assert verify(ledger, [candidate], 1, Site(), said.append, epochs=64)
    assert said[0] == f"the test set has been read before in this study: 2 times for #{candidate.number}"
    assert [entry.split()[0] for entry in bench.log] == ["opened", "trained", "opened"]
    found = ledger.candidate(candidate.number)
    assert [run.epochs for run in found.verifications] == [64]
    assert [run.epochs for run in found.shorter] == [16, 16]
    assert found.verified_accuracy == found.verifications[0].accuracy


def test_a_training_that_fails_ends_it_and_those_that_did_not_stay(
    ledger: Ledger, candidate: Candidate, bench: Bench
) -> None:
    first = iter([True])
    bench.spoil = lambda outcome: outcome if next(first, False) else Failed(epochs=1, reason="the loss became nan")
    with pytest.raises(SearchError, match="the loss became nan"):
        verify(ledger, [candidate], 3, Site(), lambda _: None)
    assert ledger.verifications.trained(candidate.number, 16) == {0}


def test_other_training_images_than_the_studys_are_refused(ledger: Ledger, candidate: Candidate, bench: Bench) -> None:
    ledger.record_conditions({"data_sha256": "0" * 64})
    with pytest.raises(SettingsError, match="but the data have"):
        verify(ledger, [candidate], 1, Site(), lambda _: None)
    assert bench.log == ["opened train"]


def test_what_pruning_has_made_is_pruned_again_for_each_seed(
    ledger: Ledger, candidate: Candidate, bench: Bench
) -> None:
    from workers.pruning import nonzero

    architecture = read(candidate.line)
    origin = PrunedFrom(parent=candidate.number, what="weights", keep=0.5, rounds=2, round=1)
    number = ledger.add_pruned(architecture, 1000, origin, RungResult(16, 0.9, 1.0))
    assert verify(ledger, [ledger.candidate(number)], 1, Site(), lambda _: None)
    packed = ledger.verifications.packed(number, 16, 0)
    assert packed is not None
    kept = nonzero(architecture, unpack(packed))
    assert kept < architecture.totals.parameters


def test_the_record_of_a_pruned_candidate_teaches_no_sampler_and_takes_no_place(
    ledger: Ledger, candidate: Candidate, settings: StudySettings
) -> None:
    from search.quick_tpe import QuickTPE

    taken = ledger.taken()
    origin = PrunedFrom(parent=candidate.number, what="weights", keep=0.5, rounds=1, round=1)
    number = ledger.add_pruned(read(candidate.line), 1000, origin, RungResult(16, 0.99, 1.0))
    assert ledger.taken() == taken
    found = ledger.candidate(number)
    assert (found.parameters, found.accuracy, found.pruning) == (1000, 0.99, origin)
    assert found.origin == f"pruned weights: #{candidate.number}, round 1 of 1 to 50 %"
    sampler: Any = QuickTPE(seed=0)
    assert settings.space.architecture(ledger.sample(sampler, settings.space))


def test_the_figure_on_optunas_page_shows_what_was_verified(ledger: Ledger, candidate: Candidate, bench: Bench) -> None:
    assert verify(ledger, [candidate], 1, Site(), lambda _: None)
    storage = ledger.store.optuna
    (figure,) = storage.get_study_system_attrs(storage.get_study_id_from_name(ledger.name)).values()
    assert "test: verified" in figure
