"""The figures of the dashboard as JSON for plotly's script."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from dashboards.pareto.points import Cost, Study
from dashboards.pareto.thinning import ThinChart
from dashboards.site.answers import Answer

if TYPE_CHECKING:
    import plotly.graph_objects as go

PARETO = {f"pareto-{cost}": cost for cost in Cost}
"""Pareto figures by name; all others are catalogue."""
_CANDIDATE = re.compile(r"#(\d+)\b")


def pareto(study: Study, cost: Cost) -> Answer:
    """The Pareto picture; without a figure as long as no candidate has an accuracy."""
    if not _is_any_trained(study):
        return _answer(None, pareto_notes(study, cost))
    from dashboards.pareto.figure import figure

    chart = ThinChart((study,), cost)
    return _answer(figure(chart), chart.notes())


def pareto_notes(study: Study, cost: Cost) -> list[str]:
    """What is said below the Pareto picture."""
    return ThinChart((study,), cost).notes() if _is_any_trained(study) else [nothing_trained(study)]


def _is_any_trained(study: Study) -> bool:
    return any(candidate.accuracy is not None for candidate in study.candidates)


def view(study: Study, name: str) -> Answer:
    """One of the other views; without a figure where it has no series, and its notes say why."""
    from dashboards.views import catalogue

    found = catalogue.view(study, name)
    if not found.series:
        return _answer(None, found.notes)
    from dashboards.views.figure import figure

    return _answer(figure(found), found.notes)


@cache
def titles() -> dict[str, str]:
    """Of all views by name: those that a study without a name has."""
    from dashboards.views import catalogue

    nothing = Study(name="", dataset="digits", budgets=(1,), target=0.5, candidates=(), rungs=(1,))
    told = {name: catalogue.view(nothing, name).title.removeprefix(": ") for name in catalogue.NAMES}
    return {name: title[:1].upper() + title[1:] for name, title in told.items()}


def nothing_trained(study: Study) -> str:
    """What is said in the place of a picture."""
    there = len(study.candidates)
    return f"No accuracy yet: none of {there:,} candidates is trained." if there else "No candidates yet."


def _answer(made: go.Figure | None, notes: Sequence[str]) -> Answer:
    """Points get the number of their candidate, to be gone to; `uirevision` keeps what the reader zoomed to."""
    drawn = "null"
    if made is not None:
        made.update_layout(uirevision="same")
        for trace in made.data:
            if trace.hovertext is not None:
                trace.customdata = [_candidate(text) for text in trace.hovertext]
        drawn = made.to_json()
    return Answer(body=f'{{"figure":{drawn},"notes":{json.dumps(list(notes))}}}'.encode(), kind="application/json")


def _candidate(text: str) -> int | None:
    """Of a hover that begins with a candidate's number."""
    found = _CANDIDATE.match(text)
    return None if found is None else int(found[1])
