"""The views of a study by their names; each works on every study, whatever has become of its candidates."""

from __future__ import annotations

from dashboards.pareto.points import Study
from dashboards.views import curves, history, importance, losses, proposals, pruned
from dashboards.views.view import View

_VIEWS = {
    "history": history.by_time,
    "epochs": history.by_epochs,
    "pruned": pruned.pruned,
    "importance": importance.importance,
    "curves": curves.accuracies,
    "losses": losses.losses,
    "proposals": proposals.proposals,
}
NAMES: tuple[str, ...] = tuple(_VIEWS)


def view(study: Study, name: str) -> View:
    """One of `NAMES`; one for which the study has no data has no series, and a note that says why."""
    return _VIEWS[name](study)
