"""The views of a study by their names; each works on every study, whatever has become of its candidates."""

from __future__ import annotations

from dashboards import view_curves, view_history, view_importance, view_losses, view_proposals, view_pruned
from dashboards.pareto_points import Study
from dashboards.view import View

_VIEWS = {
    "history": view_history.by_time,
    "epochs": view_history.by_epochs,
    "pruned": view_pruned.pruned,
    "importance": view_importance.importance,
    "curves": view_curves.accuracies,
    "losses": view_losses.losses,
    "proposals": view_proposals.proposals,
}
NAMES: tuple[str, ...] = tuple(_VIEWS)


def view(study: Study, name: str) -> View:
    """One of `NAMES`; one for which the study has no data has no series, and a note that says why."""
    return _VIEWS[name](study)
