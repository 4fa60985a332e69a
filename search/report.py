"""What a run or a study has come to, for people and as JSON."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from dashboards.budgets import budget_rows, budgets_table, holdings, trail_rows, trail_table
from dashboards.progress import pruned_by_rung
from dashboards.tables import candidate_row, candidates_table, ranking
from dashboards.text import counted, duration, goal, interval, number, percent, points
from search.proposer import ASKS, DRAWS
from search.run import Result
from search.samplers import SAMPLERS
from search.winners_curse import winners_curse
from space.candidate import Candidate, State
from space.statistics import Summary
from space.trail import Trail, winners

SHOWN = 10
"""Candidates in the table."""


def result_row(result: Result) -> dict[str, Any]:
    """A result as plain values."""
    counts = Counter(candidate.state for candidate in result.candidates)
    settings, winner = result.settings, result.winner
    curse = winners_curse(result.candidates)
    return {
        "study": result.study,
        "dataset": settings.dataset,
        "target": settings.target,
        "target_met": result.is_met,
        "budgets": budget_rows(holdings(settings.budgets, result.candidates, result.trail)),
        "winner": None if winner is None else candidate_row(winner),
        "trail": trail_rows(result.candidates, result.trail),
        "counts": {str(state): counts[state] for state in State},
        "pruned_by_rung": {str(epochs): count for epochs, count in sorted(pruned_by_rung(result.candidates).items())},
        "best": [candidate_row(candidate) for candidate in _best(result)],
        "winners_curse": None if curse is None else curse.to_json(),
        "seconds": round(result.seconds, 3),
        "spent": result.spent,
    }


def print_result(console: Console, result: Result) -> None:
    """The table of the best, the winners, what was pruned and why, and how to go on."""
    best = _best(result)
    if best:
        console.print(candidates_table(best, f"Best candidates of {result.study} (validation accuracy)"))
    print_winners(console, result.settings.budgets, result.candidates, result.trail)
    for verdict in _verdicts(result):
        console.print(verdict)
    if curse := winners_curse(result.candidates):
        console.print(str(curse), highlight=False, soft_wrap=True)
    if result.spent:
        console.print(
            f"Nothing new is left to train: the last {ASKS + DRAWS} proposals were all known.", highlight=False
        )
    console.print(pruned_line(result.candidates), highlight=False)
    if result.seconds:
        console.print(f"This run took {duration(result.seconds)}.", highlight=False)
    console.print(f"To go on: {continue_line(result)}", highlight=False, soft_wrap=True)


def _best(result: Result) -> list[Candidate]:
    winner = result.winner
    return ranking(result.candidates, None if winner is None else winner.number)[:SHOWN]


def print_winners(console: Console, budgets: Sequence[int], candidates: Sequence[Candidate], trail: Trail) -> None:
    """The table of budgets, and that of winners, each where there are several."""
    if len(budgets) > 1:
        console.print(budgets_table(holdings(budgets, candidates, trail)))
    if len(trail) > 1:
        console.print(trail_table(candidates, trail))


def _verdicts(result: Result) -> Iterator[Text]:
    """One for each winner, with the budgets that it is the winner of, and one for the budgets that have none."""
    settings = result.settings
    won = winners(settings.budgets, result.trail)
    for winner in result.winners:
        own = [budget for budget in settings.budgets if won.get(budget) == winner.number]
        yield _confirmed(goal(settings.target, own), winner)
    unmet = [budget for budget in settings.budgets if budget not in won]
    if unmet:
        yield Text(f"No confirmed network yet for {goal(settings.target, unmet)}.", style="bold")


def _confirmed(what: str, winner: Candidate) -> Text:
    runs = ", ".join(percent(confirmation.accuracy) for confirmation in winner.confirmations)
    text = Text(f"Confirmed for {what}: #{winner.number}, {number(winner.parameters)} parameters, ", style="bold")
    text.append(f"{percent(winner.confirmed_accuracy)} mean of {len(winner.confirmations)} fresh trainings ({runs}).\n")
    return text.append(winner.line)


def verified_line(candidate: Candidate) -> str:
    """What a candidate's verifications come to; `-` where it has none."""
    if not candidate.verifications:
        return "-"
    summary = Summary.of([run.accuracy for run in candidate.verifications])
    return (
        f"{percent(summary.mean)} mean of {summary.count}, standard deviation {points(summary.deviation)}, "
        f"worst {percent(summary.worst)}, 95 % interval {interval(summary.interval)}"
    )


def pruned_line(candidates: list[Candidate]) -> str:
    """How many candidates were not trained to the end, and why."""
    counts = Counter(candidate.state for candidate in candidates)
    parts = [f"{counts[State.OVER_BUDGET]} over budget (never trained)"]
    parts += [
        f"{count} pruned after {counted(epochs, 'epoch')}"
        for epochs, count in sorted(pruned_by_rung(candidates).items())
    ]
    reasons = Counter(candidate.reason for candidate in candidates if candidate.state == State.FAILED)
    parts += [f"{count} failed ({reason})" for reason, count in reasons.most_common(3)]
    return f"Of {len(candidates)} candidates: {counts[State.COMPLETE]} trained to the end, {', '.join(parts)}."


def continue_line(result: Result) -> str:
    """The command that goes on with the study, or begins another where there is nothing left to search for."""
    sampler = [] if result.sampler == SAMPLERS[0] else ["--sampler", result.sampler]
    if result.shrink or not result.is_met:
        return shlex.join(["search", "resume", result.study, *(["--shrink"] if result.shrink else []), *sampler])
    return shlex.join(["search", "run", *result.settings.options(), *sampler, "--fresh"])
