from __future__ import annotations

from itertools import takewhile

import pytest

from dashboards.pareto.ascii_plot import draw
from dashboards.pareto.chart import Chart
from dashboards.pareto.points import Cost
from tests.dashboards.studies import candidate, chart, several


def plot_rows(text: str) -> list[str]:
    """Those above the lower axis, without the accuracies."""
    return [row.partition("|")[2] for row in takewhile(lambda row: " +--" not in row, text.splitlines())]


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("cost", list(Cost))
def test_a_plot_is_ascii_and_no_wider_than_the_terminal(width: int, cost: Cost) -> None:
    text = draw(Chart(several().studies, cost), width, 15)
    assert text.isascii()
    rows = plot_rows(text)
    assert len(rows) == 15
    assert max(map(len, rows)) <= width - 11


def test_every_kind_has_its_symbol_and_the_legend_says_which() -> None:
    text = draw(Chart(several().studies[:1], Cost.PARAMETERS), 120, 25)
    for symbol, meaning in {
        "o": "trained to the end",
        ".": "pruned early",
        "x": "failed",
        "?": "in training",
        "V": "verified, test",
        "P": "published, test (chosen on it)",
    }.items():
        assert f"  {symbol}  {meaning}" in text
        assert any(symbol in row for row in plot_rows(text))


def test_each_of_several_studies_has_a_letter_and_a_capital_for_what_is_verified() -> None:
    text = draw(several(), 120, 25)
    for symbol, meaning in {"a": "small", "b": "large", "A": "verified, test", "P": "published, test"}.items():
        assert f"  {symbol}  {meaning}" in text
    rows = "".join(plot_rows(text))
    assert rows.count("a") == 5
    assert rows.count("b") == 2
    assert rows.count("A") == 1
    assert not set(rows) & set("ox.?V")


def test_what_there_is_none_of_is_not_in_the_legend() -> None:
    assert "verified" not in draw(chart(candidate(0, 1000, 0.9)))


def test_better_is_higher_and_larger_further_right() -> None:
    rows = plot_rows(draw(chart(candidate(0, 1000, 0.9), candidate(1, 4000, 0.95), budgets=(8000,)), 80, 20))
    (high, low) = [number for number, row in enumerate(rows) if "o" in row]
    assert high < low
    assert rows[high].index("o") > rows[low].index("o")


def test_stairs_lead_from_one_network_of_the_front_to_the_next() -> None:
    rows = plot_rows(draw(chart(candidate(0, 1000, 0.9), candidate(1, 4000, 0.97), target=0.5), 80, 20))
    (high, low) = [number for number, row in enumerate(rows) if "o" in row]
    column = rows[high].index("o")
    assert all(rows[row][column] == "|" for row in range(high + 1, low))
    assert set(rows[low][rows[low].index("o") + 1 : column]) == {"_"}


def test_notes_follow() -> None:
    drawn = several()
    assert draw(drawn).splitlines()[-len(drawn.notes()) :] == drawn.notes()
