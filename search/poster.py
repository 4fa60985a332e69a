"""Our Pareto figure on the study's page in the Optuna dashboard, kept up to date while a study runs."""

from __future__ import annotations

import time
from collections.abc import Sequence

from dashboards.pareto.points import Cost, Study
from search.ledger import Ledger
from search.settings import StudySettings
from space.candidate import Candidate

_PERIOD = 20.0
"""Seconds between two figures, at least."""
_INK, _GRID = "#777777", "rgba(128,128,128,0.3)"
_SHARE = 0.01
"""Of a driver's time that figures may take."""


class Poster:
    """Posts the figure of one study: not more often than is of use, and only when something was told."""

    def __init__(self, ledger: Ledger, settings: StudySettings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._posted = 0
        self._due = time.monotonic() + _PERIOD

    def refresh(self, candidates: Sequence[Candidate]) -> None:
        """Post the figure of these candidates if it is time to."""
        if time.monotonic() >= self._due:
            self.post(candidates)

    def post(self, candidates: Sequence[Candidate]) -> None:
        """Post it now, unless it would be the same again or there is nothing to draw."""
        told = sum(len(one.rungs) + len(one.repeats) + len(one.confirmations) for one in candidates)
        if told == self._posted:
            return
        begun = time.monotonic()
        self._ledger.post_figure(_figure(self._ledger.name, self._settings, candidates))
        self._posted = told
        ended = time.monotonic()
        self._due = ended + max(_PERIOD, (ended - begun) / _SHARE)


def _figure(name: str, settings: StudySettings, candidates: Sequence[Candidate]) -> str:
    """A plotly figure as JSON, in colours that can be read on a light and on a dark ground: it cannot know which."""
    from dashboards.ink.drawing import LIGHT
    from dashboards.pareto.figure import figure
    from dashboards.pareto.thinning import ThinChart

    study = Study(
        name=name,
        dataset=settings.dataset,
        budgets=settings.budgets,
        target=settings.target,
        candidates=candidates,
    )
    drawn = str(figure(ThinChart((study,), Cost.PARAMETERS), is_labelled=False).to_json())
    return drawn.replace(LIGHT["ink"], _INK).replace(LIGHT["grid"], _GRID)
