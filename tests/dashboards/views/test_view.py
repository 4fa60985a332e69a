from __future__ import annotations

import json

import pytest

from dashboards.views import catalogue
from dashboards.views.view import Curve, Scale, View
from tests.dashboards.searches import search


@pytest.mark.parametrize(("is_reversed", "share"), [(False, 0.25), (True, 0.75)])
def test_a_linear_scale_goes_evenly_from_end_to_end(is_reversed: bool, share: float) -> None:
    scale = Scale(title="", low=10, high=50, is_reversed=is_reversed)
    assert scale.share(20) == pytest.approx(share)


def test_a_logarithmic_scale_has_equal_ratios_at_equal_lengths() -> None:
    scale = Scale(title="", low=1, high=100, is_logarithmic=True)
    assert scale.share(10) == pytest.approx(0.5)


def test_what_is_beyond_a_scale_lies_on_its_ends() -> None:
    scale = Scale(title="", low=10, high=50)
    assert [scale.share(value) for value in (0, 99)] == [0, 1]


def test_a_view_as_plain_values_says_what_form_each_series_has() -> None:
    scale = Scale(title="up", low=1, high=2)
    curve = Curve(name="line", x=(1.0, None), y=(2.0, None), colour="ink", width=1)
    row = View(name="one", title="One", x=scale, y=scale, series=(curve,), notes=("a note",)).to_json()
    assert row["notes"] == ["a note"]
    assert row["series"][0]["form"] == "curve"
    assert json.loads(json.dumps(row))["series"][0]["x"] == [1.0, None]


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_the_numbers_of_a_large_study_are_strict_json_and_not_many(name: str) -> None:
    written = json.dumps(catalogue.view(search(5000), name).to_json(), allow_nan=False)
    assert len(written) < 250_000
