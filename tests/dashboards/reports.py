"""Reports on studies made up for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dashboards.report.numbers import Report
from space.candidate import Candidate, Confirmation, PrunedFrom, State
from tests.dashboards.studies import candidate, study, verification, won

MADE = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
SETTINGS = {
    "dataset": "digits",
    "budgets": [10_000],
    "target": 0.99,
    "seed": 3,
    "rungs": [1, 4, 16],
    "reduction": 4,
    "recipe": {"epochs": 16, "augmentation": {"shift": 1 / 28}},
    "space": {"depth1": "1 to 3"},
}


def report(*candidates: Candidate, **more: Any) -> Report:
    """Of a study that nobody searches and that has no winner, unless told otherwise."""
    named = {name: more.pop(name) for name in ("name", "importance", "budgets", "trail") if name in more}
    winner = more.pop("winner", None)
    if winner is not None:
        named["trail"] = won(candidates[winner])
    told: dict[str, Any] = {
        "title": "A report",
        "made": MADE,
        "made_by": "petitnet 1.2.3",
        "searching": 0,
        "confirmations": 3,
        "settings": SETTINGS,
        "conditions": {"torch": "2.14.1", "data_sha256": "abc"},
        "commands": ("search run --budget 10000 --target 0.99", "search verify study"),
        "verifying": "search verify study/1",
    }
    return Report(study=study(*candidates, **named), **(told | more))


def confirmed(accuracy: float = 0.992) -> tuple[Confirmation, ...]:
    """Three that have this mean."""
    spread = (-0.001, 0.0, 0.001)
    return tuple(
        Confirmation(fold=fold, seed=fold, accuracy=accuracy + more, seconds=10.0)
        for fold, more in enumerate(spread, 1)
    )


def whole(**more: Any) -> Report:
    """Candidates in every state, a verified winner, another that was verified once, and one made by pruning."""
    runs = tuple(verification(place, accuracy) for place, accuracy in enumerate((0.994, 0.99, 0.992)))
    candidates = (
        candidate(0, 4000, 0.985, seconds=65.0, begun=MADE, ended=MADE + timedelta(minutes=2)),
        candidate(1, 5000, 0.993, confirmations=confirmed(), verifications=runs, rungs={1: 0.9, 4: 0.98, 16: 0.993}),
        candidate(2, 5000, 0.97, state=State.PRUNED, rungs={1: 0.97}, losses={1: (0.5,)}),
        candidate(3, 6000, 0.98, state=State.PRUNED, rungs={1: 0.97, 4: 0.98}),
        candidate(4, 12_000, None, state=State.OVER_BUDGET),
        candidate(5, 7000, None, state=State.FAILED, reason="its worker died"),
        candidate(6, 8000, 0.975, state=State.RUNNING, rungs={1: 0.975}),
        candidate(7, 9000, 0.996, verifications=(verification(0, 0.989),), ended=MADE + timedelta(minutes=30)),
        candidate(8, 2500, 0.98, pruning=PrunedFrom(parent=1, what="weights", keep=0.5, rounds=2, round=1)),
    )
    return report(*candidates, **({"winner": 1} | more))
