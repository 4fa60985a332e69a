"""The curves of one candidate as numbers."""

from __future__ import annotations

import pytest

from dashboards.site import curves
from dashboards.views.view import Curve
from tests.dashboards.studies import candidate


def test_losses_have_a_line_for_each_training() -> None:
    one = candidate(0, 4000, None, rungs={1: 0.9, 4: 0.95}, losses={1: (2.0,), 4: (2.0, 1.0, 0.7, 0.5)})
    view = curves.losses(one)
    assert view is not None
    short, long = view.series
    assert isinstance(short, Curve)
    assert isinstance(long, Curve)
    assert (short.x, short.y) == ((1.0,), (2.0,))
    assert (long.x, long.y) == ((1.0, 2.0, 3.0, 4.0), (2.0, 1.0, 0.7, 0.5))
    assert short.symbol != long.symbol
    assert short.colour != long.colour
    assert (short.name, long.name) == ("training of 1 epoch", "training of 4 epochs")


def test_accuracies_lie_at_the_length_of_their_training() -> None:
    view = curves.accuracies(candidate(0, 4000, None, rungs={1: 0.9, 4: 0.95, 16: 0.99}))
    assert view is not None
    (curve,) = view.series
    assert isinstance(curve, Curve)
    assert curve.x == (1.0, 4.0, 16.0)
    assert [1 - (y or 0) for y in curve.y] == pytest.approx([0.9, 0.95, 0.99])
    assert curve.hovers == ("90.00 %", "95.00 %", "99.00 %")


def test_what_has_no_logarithm_can_be_drawn() -> None:
    one = candidate(0, 4000, 1.0, losses={16: (1.0, 0.0, float("nan"), float("inf"))})
    for view in (curves.accuracies(one), curves.losses(one)):
        assert view is not None
        for curve in view.series:
            assert isinstance(curve, Curve)
            assert all(y is None or view.y.low <= y <= view.y.high for y in curve.y)


def test_without_data_there_is_no_curve() -> None:
    one = candidate(0, 4000, None, losses={1: ()})
    assert curves.losses(one) is None
    assert curves.accuracies(one) is None
