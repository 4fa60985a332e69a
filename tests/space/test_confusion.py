from __future__ import annotations

import pytest

from space.confusion import accuracy


def test_the_accuracy_is_the_share_on_the_diagonal() -> None:
    assert accuracy(((5, 1), (2, 2))) == 0.7
    assert accuracy(((3, 0), (0, 0))) == 1


def test_of_no_images_there_is_none() -> None:
    with pytest.raises(ZeroDivisionError):
        accuracy(((0, 0), (0, 0)))
