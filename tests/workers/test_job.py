from __future__ import annotations

import json

import pytest

from workers.job import Failed, Job, Outcome, Trained, from_result, to_result

JOB = Job(kind="candidate", candidate=7, line="1x28x28-8c3pnr-10c3p-G", rungs=(1, 4, 16), fold=0, seed=3)


@pytest.mark.parametrize("job", [JOB, Job(kind="confirmation", candidate=0, line="", rungs=(16,), fold=5, seed=2**63)])
def test_a_job_becomes_a_config_and_a_job_again(job: Job) -> None:
    assert Job.from_config(job.to_config()) == job
    assert Job.from_config(json.loads(json.dumps(job.to_config()))) == job


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
