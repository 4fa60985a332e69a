from __future__ import annotations

import pytest

from dashboards.views.importance import MOST, importance
from dashboards.views.view import Bars
from tests.dashboards.searches import searched


def test_the_largest_is_on_top_and_the_small_ones_are_put_together() -> None:
    shares = {f"choice{place}": (place + 1) / 210 for place in range(20)}
    view = importance(searched(importance=shares))
    names = [tick.text for tick in sorted(view.y.ticks, key=lambda tick: -view.y.share(tick.value))]
    assert names == [*(f"choice{place}" for place in range(19, 4, -1)), "5 others"]
    own, others = view.series
    assert isinstance(own, Bars)
    assert isinstance(others, Bars)
    assert len(own.right) == MOST
    assert own.right[0] == pytest.approx(20 / 210, abs=1e-4)
    assert others.right == pytest.approx((15 / 210,), abs=1e-4)
    assert sum(own.right) + sum(others.right) == pytest.approx(1, abs=0.01)


def test_few_choices_have_no_others() -> None:
    view = importance(searched(importance={"width": 0.75, "depth": 0.25}))
    (bars,) = view.series
    assert isinstance(bars, Bars)
    assert bars.hovers == ("width\n75.0 %", "depth\n25.0 %")
    assert bars.low[1] > bars.high[0]


def test_where_it_is_not_known_nothing_is_drawn() -> None:
    view = importance(searched())
    assert view.series == ()
    assert "ten trained candidates" in view.notes[0]
