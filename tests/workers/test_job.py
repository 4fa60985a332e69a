from __future__ import annotations

import json

import pytest

from workers.job import Failed, Outcome, Trained, from_result, to_result


@pytest.mark.parametrize(
    "outcome",
    [
        Trained(epochs=4, accuracy=0.991, loss=0.31, seconds=12.5),
        Failed(epochs=16, reason="the training loss became nan"),
    ],
)
def test_an_outcome_becomes_a_result_and_an_outcome_again(outcome: Outcome) -> None:
    result = json.loads(json.dumps(to_result(outcome)))

    assert from_result(result) == outcome
    assert from_result(result | {"training_iteration": 2, "pid": 1, "config": {}, "done": False}) == outcome
