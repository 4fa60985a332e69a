from __future__ import annotations

from search.batch import Batch
from search.conductor import LOSSES
from workers.job import Failed, Fit, Fitted
from workers.recipe import Recipe

JOBS = [Fit(key=name, line="1x8x8-1c3-G", recipe=Recipe(epochs=2), seed=0) for name in "abc"]
DONE = Fitted(stages=(), seconds=1.0)


def made() -> tuple[Batch, list[tuple[str, Fitted | Failed]]]:
    told: list[tuple[str, Fitted | Failed]] = []
    return Batch(JOBS, lambda fit, outcome: told.append((fit.key, outcome))), told


def test_each_training_is_handed_out_once_and_in_order() -> None:
    batch, told = made()
    assert [batch.next_jobs(2), batch.next_jobs(2), batch.next_jobs(1)] == [JOBS[:2], JOBS[2:], []]
    assert not batch.finished
    for fit in JOBS:
        batch.tell(fit, DONE)
    assert batch.finished
    assert told == [("a", DONE), ("b", DONE), ("c", DONE)]


def test_what_a_worker_died_on_is_tried_again_before_it_has_failed() -> None:
    batch, told = made()
    for _ in range(LOSSES):
        (fit,) = batch.next_jobs(1)
        assert fit == JOBS[0]
        batch.lose(fit, "the node is gone")
    ((name, outcome),) = told
    assert isinstance(outcome, Failed)
    assert (name, outcome.epochs) == ("a", 2)
    assert outcome.reason.endswith("the node is gone")
    assert batch.next_jobs(1) == [JOBS[1]]


def test_an_interrupted_batch_hands_out_nothing_more() -> None:
    batch, _ = made()
    batch.next_jobs(1)
    batch.interrupt()
    assert batch.finished
    assert not batch.next_jobs(1)
