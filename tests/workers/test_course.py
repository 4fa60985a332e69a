from __future__ import annotations

import math
import time

import pytest
import torch

from workers.course import Course, TrainingError, finite, run_epoch

BATCHES = [(torch.zeros(1), torch.tensor([step])) for step in range(4)]


def label(_images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return labels.float().mean()


def test_an_epoch_takes_each_batch_once_and_gives_the_mean_loss() -> None:
    assert run_epoch(BATCHES, label, math.inf) == 1.5


def test_an_epoch_ends_at_the_deadline() -> None:
    with pytest.raises(TrainingError, match=r"^timeout$"):
        run_epoch(BATCHES, label, time.monotonic() - 1)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_training(loss: float) -> None:
    with pytest.raises(TrainingError, match=f"^the training loss became {loss}$"):
        run_epoch(BATCHES, lambda images, labels: label(images, labels) + loss, math.inf)


def test_an_accuracy_must_be_a_number() -> None:
    assert finite(0.5) == 0.5
    with pytest.raises(TrainingError, match=r"not finite"):
        finite(math.nan)


def test_a_course_has_an_epoch_for_each_loss() -> None:
    assert Course(losses=(0.5, 0.4), accuracy=None).epochs == 2
