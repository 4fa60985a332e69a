"""A study as pictures need it."""

from __future__ import annotations

from dashboards.pareto.points import Study
from search.importance import importance as importance_of
from search.ledger import Ledger


def pictured(ledger: Ledger, *, importance: bool = False) -> Study:
    """What the ledger has now; with the importance of its choices if that is asked for, which takes up to a second."""
    settings, candidates = ledger.settings, ledger.candidates()
    return Study(
        name=ledger.name,
        dataset=settings["dataset"],
        budgets=tuple(settings["budgets"]),
        target=settings["target"],
        candidates=candidates,
        trail=ledger.trail,
        importance=importance_of(ledger, candidates) if importance else {},
        rungs=tuple(settings["rungs"]),
    )
