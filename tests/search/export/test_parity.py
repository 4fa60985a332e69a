from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from search.export.parity import Parity, compare

LABELS = np.arange(2000) % 10


def logits(classes: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.eye(10, dtype=np.float32)[classes]


def wrong_on(images: int) -> NDArray[np.float32]:
    classes = LABELS.copy()
    classes[:images] = (classes[:images] + 1) % 10
    return logits(classes)


def test_what_is_equal_passes_with_its_numbers() -> None:
    found = compare(logits(LABELS) + np.float32(0.25), wrong_on(500) * 0 + logits(LABELS), LABELS, None)
    assert found == Parity(images=2000, equal=2000, right=2000, expected=2000, difference=0.25)


def test_one_other_prediction_is_too_many_in_float32() -> None:
    assert compare(wrong_on(1), logits(LABELS), LABELS, None) == "1 of 2,000 predictions are not PyTorch's"


def test_another_prediction_is_too_many_even_if_it_is_right() -> None:
    assert isinstance(compare(logits(LABELS), wrong_on(1), LABELS, None), str)


@pytest.mark.parametrize(("lost", "passes"), [(0, True), (2, True), (3, False)])
def test_int8_may_lose_a_tenth_of_a_point_and_no_image_more(lost: int, passes: bool) -> None:
    assert isinstance(compare(wrong_on(lost), logits(LABELS), LABELS, 0.001), Parity) == passes


def test_what_is_lost_is_told() -> None:
    said = compare(wrong_on(20), logits(LABELS), LABELS, 0.001)
    assert said == "it loses 20 of 2,000 images (1.00 points), and may lose 0.1 points"


def test_int8_may_disagree_where_it_loses_nothing() -> None:
    found = compare(logits(LABELS), wrong_on(40), LABELS, 0.001)
    assert isinstance(found, Parity)
    assert (found.equal, found.right, found.expected) == (1960, 2000, 1960)
    assert found.accuracy == 1


@pytest.mark.parametrize("may_lose", [None, 0.001])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_never_pass(value: float, may_lose: float | None) -> None:
    found = logits(LABELS)
    found[5, 0] = value
    assert compare(found, logits(LABELS), LABELS, may_lose) == "it puts out values that are not finite"


def test_another_shape_never_passes() -> None:
    said = compare(logits(LABELS)[:, :9], logits(LABELS), LABELS, None)
    assert said == "it must put out (2000, 10), but puts out (2000, 9)"
