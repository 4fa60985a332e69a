from __future__ import annotations

import pytest

from workers.job import Failed, Fitted, Stage, Trained, from_result, to_result


@pytest.mark.parametrize(
    "outcome",
    [
        Trained(losses=(0.9, 0.5, 0.4, 0.31), accuracy=0.991, seconds=12.5),
        Fitted(stages=(Stage(weights=b"...", epochs=16, loss=0.31, accuracy=None),), seconds=12.5),
        Failed(epochs=16, reason="the training loss became nan"),
    ],
)
def test_an_outcome_becomes_a_result_and_an_outcome_again(outcome: Trained | Fitted | Failed) -> None:
    added_by_tune = {"training_iteration": 2, "pid": 1, "config": {}, "done": False}
    assert from_result(to_result(outcome) | added_by_tune) == outcome
