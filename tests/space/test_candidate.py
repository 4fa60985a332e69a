from __future__ import annotations

import pytest

from space.candidate import Candidate, Confirmation, State


def confirmation(fold: int, accuracy: float) -> Confirmation:
    return Confirmation(fold=fold, seed=fold, accuracy=accuracy, seconds=1.0)


def test_accuracy_is_that_of_the_longest_training() -> None:
    candidate = Candidate(number=3, state=State.COMPLETE, origin="sampler", rungs={16: 0.95, 1: 0.99, 4: 0.9})

    assert (candidate.epochs, candidate.accuracy) == (16, 0.95)


def test_a_candidate_that_was_never_trained_has_no_accuracy() -> None:
    candidate = Candidate(number=3, state=State.OVER_BUDGET, origin="sampler")

    assert (candidate.epochs, candidate.accuracy, candidate.confirmed_accuracy) == (0, None, None)


def test_confirmed_accuracy_is_the_mean() -> None:
    candidate = Candidate(
        number=3,
        state=State.COMPLETE,
        origin="article-2",
        confirmations=(confirmation(1, 0.98), confirmation(2, 0.99)),
    )

    assert candidate.confirmed_accuracy == pytest.approx(0.985)
