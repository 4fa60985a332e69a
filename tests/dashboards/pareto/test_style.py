from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.pareto.chart import Chart
from dashboards.pareto.points import Cost, Kind, points_of
from dashboards.pareto.style import accuracy_tick, broken, cost_tick, facts, label, styles
from space.notation import write
from tests.dashboards.studies import LINE, candidate, several, study, verification
from tests.space.strategies import architectures


def test_in_one_study_no_two_series_share_a_symbol_or_a_label() -> None:
    drawn = Chart((several().studies[0],), Cost.PARAMETERS)
    found = styles(drawn)
    assert len(found) == 7
    assert len({style.symbol for style in found.values()}) == len(found)
    assert len({label(kind, epochs) for _, kind, epochs in found}) == len(found)


def test_in_several_studies_colours_are_the_studies_and_symbols_stay_the_same() -> None:
    found = styles(several())
    small, large = found["small", Kind.COMPLETE, 0], found["large", Kind.COMPLETE, 0]
    assert small.colour != large.colour
    assert small.symbol == large.symbol
    assert {style.colour for (name, _, _), style in found.items() if name == "small"} == {small.colour}


@pytest.mark.parametrize("kind", list(Kind))
def test_a_label_says_on_which_images_it_was_measured(kind: Kind) -> None:
    assert label(kind, 4).startswith("test: " if kind.is_test else "validation: ")


def test_a_label_of_pruned_candidates_has_their_rung() -> None:
    assert label(Kind.PRUNED, 1) == "validation: pruned after 1 epoch"
    assert label(Kind.PRUNED, 4) == "validation: pruned after 4 epochs"


def test_facts_are_costs_time_seed_and_architecture() -> None:
    (point,) = points_of(study(candidate(7, 1234, 0.9876, seconds=65.0, seed=42), name="mine"))
    assert facts(point) == [
        "#7 mine",
        "98.76 % on validation images, 16 epochs",
        "trained to the end",
        "1,234 parameters, 123,400 MACs, 12,340 peak bytes",
        "1:05 of training, seed 42",
        LINE,
    ]


def test_facts_of_a_verified_network_are_about_test_images_and_have_the_interval() -> None:
    _, verified = points_of(study(candidate(7, 1234, 0.99, verifications=(verification(0, 0.99),))))
    assert facts(verified)[1] == "99.00 % (98.17 % to 99.46 %) on test images, 16 epochs"
    assert facts(verified)[2] == "verified; one training"


@given(architectures().map(write), st.integers(5, 60))
def test_a_broken_line_loses_nothing_and_fits(line: str, width: int) -> None:
    pieces = broken(line, width)
    assert "".join(pieces) == line
    assert max(map(len, pieces)) <= width


def test_ticks_have_as_many_digits_as_they_need() -> None:
    assert [accuracy_tick(error) for error in (0.5, 0.02, 0.007, 0.0005)] == ["50 %", "98 %", "99.3 %", "99.95 %"]
    assert [cost_tick(cost) for cost in (500, 10_000, 1500, 2e6)] == ["500", "10k", "1.5k", "2M"]
