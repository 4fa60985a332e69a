"""What a run or a study has come to, for people and as JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.console import Console
from rich.text import Text

from dashboards.progress import pruned_by_rung
from dashboards.tables import candidate_row, candidates_table, ranking
from dashboards.text import counted, duration, interval, number, percent, points
from search.proposer import ASKS, DRAWS
from search.run import Result
from space.candidate import Candidate, State
from space.statistics import Summary

SHOWN = 10
"""Candidates in the table."""


def result_row(result: Result) -> dict[str, Any]:
    """A result as plain values."""
    counts = Counter(candidate.state for candidate in result.candidates)
    winner = result.winner
    return {
        "study": result.study,
        "dataset": result.settings.dataset,
        "budget": result.settings.budget,
        "target": result.settings.target,
        "target_met": winner is not None,
        "winner": None if winner is None else candidate_row(result.candidates[winner]),
        "counts": {str(state): counts[state] for state in State},
        "pruned_by_rung": {str(epochs): count for epochs, count in sorted(pruned_by_rung(result.candidates).items())},
        "best": [candidate_row(candidate) for candidate in ranking(result.candidates, winner)[:SHOWN]],
        "seconds": round(result.seconds, 3),
        "spent": result.spent,
    }


def print_result(console: Console, result: Result) -> None:
    """The table of the best, the winner, what was pruned and why, and how to go on."""
    best = ranking(result.candidates, result.winner)[:SHOWN]
    if best:
        console.print(candidates_table(best, f"Best candidates of {result.study} (validation accuracy)"))
    console.print(_verdict(result))
    if result.spent:
        console.print(
            f"Nothing new is left to train: the last {ASKS + DRAWS} proposals were all known.", highlight=False
        )
    console.print(pruned_line(result.candidates), highlight=False)
    if result.seconds:
        console.print(f"This run took {duration(result.seconds)}.", highlight=False)
    console.print(f"To go on: {continue_line(result)}", highlight=False, soft_wrap=True)


def _verdict(result: Result) -> Text:
    goal = f"{percent(result.settings.target)} with at most {number(result.settings.budget)} parameters"
    if result.winner is None:
        return Text(f"No confirmed network yet for {goal}.", style="bold")
    winner = result.candidates[result.winner]
    runs = ", ".join(percent(confirmation.accuracy) for confirmation in winner.confirmations)
    text = Text(f"Confirmed for {goal}: #{winner.number}, {number(winner.parameters)} parameters, ", style="bold")
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
    """The command that goes on with the study, or begins another where its target is met."""
    if result.winner is None:
        return f"search resume {result.study}"
    settings = result.settings
    data = "" if settings.dataset == "mnist" else f" --dataset {settings.dataset}"
    return f"search run{data} --budget {settings.budget} --target {settings.target:g} --fresh"
