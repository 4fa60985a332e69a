from __future__ import annotations

from dataclasses import replace

import pytest

from search.winners_curse import WinnersCurse, winners_curse
from space.candidate import Candidate, PrunedFrom, Run, State, Verification


def trained(number: int, accuracy: float, *repeats: float) -> Candidate:
    runs = tuple(Run(seed=place, accuracy=found, seconds=1.0) for place, found in enumerate(repeats))
    return Candidate(number=number, state=State.COMPLETE, origin="sampler", rungs={16: accuracy}, repeats=runs)


def curse(*candidates: Candidate) -> WinnersCurse:
    found = winners_curse(candidates)
    assert found is not None
    return found


def test_the_best_single_run_stands_beside_the_mean_of_its_network() -> None:
    found = curse(trained(0, 0.991), trained(1, 0.990, 0.994, 0.989), trained(2, 0.980))
    assert found.to_json() == {
        "candidate": 1,
        "single": 0.994,
        "best_of": 5,
        "expected_excess": pytest.approx(found.excess),
        "mean": pytest.approx(0.991),
        "standard_error": pytest.approx(0.0015275, rel=1e-3),
        "runs": 3,
        "verified": None,
    }
    assert str(found).startswith("Best of 5 single runs: 99.40 % (#1); were all equal, chance would put the best 0.")
    assert "mean of its 3 seeds: 99.10 %, standard error 0.15 points; its test accuracy was not read." in str(found)


def test_more_candidates_make_more_luck() -> None:
    few, many = (curse(*(trained(place, 0.99) for place in range(count))) for count in (2, 100))
    assert 0 < few.excess < many.excess
    assert many.excess == pytest.approx(0.0015, abs=0.0002), "2.5 deviations between seeds"


def test_a_single_run_is_not_the_best_of_anything() -> None:
    found = curse(trained(0, 0.99))
    assert (found.count, found.excess) == (1, 0.0)
    assert str(found) == (
        "Best of 1 single run: 99.00 % (#0); no other seed of that network was trained; its test accuracy was not read."
    )


def test_what_was_read_of_the_test_set_is_told() -> None:
    runs = tuple(
        Verification(place=place, seed=place, accuracy=accuracy, confusion=((1,),), epochs=16, seconds=1.0)
        for place, accuracy in enumerate((0.98, 0.99))
    )
    text = str(curse(replace(trained(0, 0.99), verifications=runs)))
    assert text.endswith("test accuracy, read once for each of 2 fresh seeds: 98.50 %.")


def test_what_pruning_has_made_and_lower_rungs_do_not_count() -> None:
    pruned = replace(trained(1, 0.999), pruning=PrunedFrom(parent=0, what="filters", keep=0.5, rounds=1, round=1))
    lower = Candidate(number=2, state=State.PRUNED, origin="sampler", rungs={1: 0.9995})
    assert curse(trained(0, 0.99), pruned, lower).count == 1
    assert winners_curse([pruned, lower]) is None
