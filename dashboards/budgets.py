"""What a study has for each of its budgets, and its winners in their order: tables, and the rows as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table

from dashboards.tables import ranking
from dashboards.text import number, percent
from space.candidate import Candidate
from space.trail import Trail, winners


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What there is for one budget; each None where there is nothing."""

    budget: int
    best: Candidate | None
    """Of those that fit, by the length of training and the accuracy."""
    winner: Candidate | None
    """Confirmed."""


def holdings(budgets: Sequence[int], candidates: Sequence[Candidate], trail: Trail) -> list[Holding]:
    """One for each budget, in their order; `candidates` are all of the study's, by number."""
    won = winners(budgets, trail)
    found = []
    for budget in budgets:
        best = ranking(candidate for candidate in candidates if candidate.parameters <= budget)
        winner = candidates[won[budget]] if budget in won else None
        found.append(Holding(budget=budget, best=best[0] if best else None, winner=winner))
    return found


def budget_rows(found: Sequence[Holding]) -> list[dict[str, Any]]:
    """The table of budgets as plain values."""
    return [{"budget": one.budget, "best": _row(one.best), "winner": _row(one.winner)} for one in found]


def _row(candidate: Candidate | None) -> dict[str, Any] | None:
    names = ("number", "parameters", "accuracy", "epochs", "confirmed_accuracy")
    return None if candidate is None else {name: getattr(candidate, name) for name in names}


def trail_rows(candidates: Sequence[Candidate], trail: Trail) -> list[dict[str, Any]]:
    """The table of winners as plain values."""
    return [
        {
            "number": win.number,
            "parameters": win.parameters,
            "confirmed_accuracy": candidates[win.number].confirmed_accuracy,
            "when": win.when.isoformat(timespec="seconds"),
        }
        for win in trail
    ]


def budgets_table(found: Sequence[Holding]) -> Table:
    """A budget a row."""
    table = Table(title="By budget", box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    headings = ("budget", "best", "parameters", "accuracy", "epochs", "winner", "parameters", "confirmed")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for one in found:
        best, winner = one.best, one.winner
        shown = ("-",) * 4 if best is None else (*_named(best), percent(best.accuracy), str(best.epochs))
        won = ("-",) * 3 if winner is None else (*_named(winner), percent(winner.confirmed_accuracy))
        table.add_row(number(one.budget), *shown, *won)
    return table


def _named(candidate: Candidate) -> tuple[str, str]:
    return f"#{candidate.number}", number(candidate.parameters)


def trail_table(candidates: Sequence[Candidate], trail: Trail) -> Table:
    """A winner a row, in their order."""
    title = "Winners, each smaller than the one before"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for heading in ("#", "parameters", "confirmed", "when"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("architecture", overflow="fold")
    for win in trail:
        winner = candidates[win.number]
        confirmed = percent(winner.confirmed_accuracy)
        table.add_row(str(win.number), number(win.parameters), confirmed, f"{win.when:%Y-%m-%d %H:%M:%S}", winner.line)
    return table
