from __future__ import annotations

import pytest

from dashboards.views.lines import MOST_LINES
from dashboards.views.losses import losses
from dashboards.views.view import Curve, View
from space.candidate import State
from tests.dashboards.searches import search, searched, timed


def curves(view: View) -> dict[str, Curve]:
    return {one.name: one for one in view.series if isinstance(one, Curve)}


def test_each_training_is_a_line_through_its_epochs() -> None:
    own = {1: (2.0,), 4: (2.0, 1.0, 0.5, 0.25)}
    found = curves(losses(searched(timed(7, 0, 1, {1: 0.9, 4: 0.95}, state=State.PRUNED, losses=own))))
    assert (found["1 epoch"].x, found["1 epoch"].y) == ((1,), (2.0,))
    assert (found["4 epochs"].x, found["4 epochs"].y) == ((1, 2, 3, 4), own[4])
    assert found["best: #7"].y == own[4]


def test_only_so_many_lines_are_drawn_and_a_note_says_so() -> None:
    view = losses(search(500))
    drawn = [curve for name, curve in curves(view).items() if not name.startswith("best")]
    assert MOST_LINES - 3 < sum(1 + curve.x.count(None) for curve in drawn) <= MOST_LINES
    assert any(note.startswith("Drawn are ") for note in view.notes)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 0.0])
def test_a_loss_without_a_logarithm_is_left_out(wrong: float) -> None:
    view = losses(searched(timed(0, 0, 1, {4: 0.9}, losses={4: (2.0, 1.0, wrong, 0.5)})))
    assert curves(view)["4 epochs"].x == (1, 2, 4)
    assert losses(searched(timed(0, 0, 1, {1: 0.9}, losses={1: (wrong,)}))).series == ()


def test_without_losses_nothing_is_drawn() -> None:
    view = losses(searched(timed(0, 0, 1, {1: 0.9}, losses={})))
    assert view.series == ()
    assert view.notes == ("Nothing to draw yet: no candidate has losses.",)
