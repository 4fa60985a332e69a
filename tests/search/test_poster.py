from __future__ import annotations

import json
import random
from typing import Any

import pytest
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects

from dashboards.ink.drawing import LIGHT
from search.ledger import Ledger, RungResult
from search.poster import Poster
from search.settings import StudySettings


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    now = {"now": 1000.0}
    monkeypatch.setattr("search.poster.time.monotonic", lambda: now["now"])
    return now


def train(ledger: Ledger, settings: StudySettings, accuracy: float) -> None:
    number = ledger.begin(settings.space, settings.space.random(random.Random(accuracy)), settings.budget)
    ledger.tell_complete(number, RungResult(16, accuracy, 1.0))


def shown(ledger: Ledger) -> dict[str, Any]:
    """The figures that the Optuna dashboard would show of the study."""
    storage = ledger.store.optuna
    attributes = storage.get_study_system_attrs(storage.get_study_id_from_name(ledger.name))
    return {name: json.loads(text) for name, text in get_plotly_graph_objects(attributes).items()}


def hovers(figure: dict[str, Any]) -> str:
    return " ".join(text for trace in figure["data"] for text in trace.get("hovertext", ()))


def test_optunas_dashboard_finds_the_figure(ledger: Ledger, settings: StudySettings) -> None:
    train(ledger, settings, 0.8)
    Poster(ledger, settings).post(ledger.candidates())
    assert list(shown(ledger)) == ["pareto"]
    assert ledger.candidate(0).line in hovers(shown(ledger)["pareto"]).replace("<br>", "")


def test_its_ink_can_be_read_on_light_and_dark_ground(ledger: Ledger, settings: StudySettings) -> None:
    train(ledger, settings, 0.8)
    Poster(ledger, settings).post(ledger.candidates())
    drawn = shown(ledger)["pareto"]
    assert drawn["layout"]["font"]["color"] == "#777777"
    assert LIGHT["ink"] not in json.dumps(drawn)


def test_a_study_without_an_accuracy_has_no_figure(ledger: Ledger, settings: StudySettings) -> None:
    ledger.begin(settings.space, settings.space.random(random.Random(1)), settings.budget)
    Poster(ledger, settings).post(ledger.candidates())
    assert shown(ledger) == {}


def test_it_is_posted_again_when_there_is_more_and_time_has_passed(
    ledger: Ledger, settings: StudySettings, clock: dict[str, float]
) -> None:
    made = Poster(ledger, settings)
    train(ledger, settings, 0.8)
    made.refresh(ledger.candidates())
    assert shown(ledger) == {}
    clock["now"] += 25
    made.refresh(ledger.candidates())
    assert "80.00 %" in hovers(shown(ledger)["pareto"])
    train(ledger, settings, 0.9)
    made.refresh(ledger.candidates())
    assert "90.00 %" not in hovers(shown(ledger)["pareto"])
    clock["now"] += 25
    made.refresh(ledger.candidates())
    assert "90.00 %" in hovers(shown(ledger)["pareto"])


def test_nothing_new_is_not_posted_again(
    ledger: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(ledger, settings, 0.8)
    made = Poster(ledger, settings)
    made.post(ledger.candidates())
    monkeypatch.setattr(ledger, "post_figure", lambda _: pytest.fail("posted again"))
    made.post(ledger.candidates())
