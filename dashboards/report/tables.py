"""The tables of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from dashboards.budgets import Holding
from dashboards.report.numbers import Report, Verified
from dashboards.report.parts import Cell, Code, Table
from dashboards.report.words import hashed
from dashboards.text import counted, duration, interval, number, percent, points
from dashboards.views.fates import End, fate
from space.architecture import Architecture
from space.candidate import Candidate, State
from space.layers import describe
from space.trail import Trail

_REASONS = 3
"""Reasons of failures that are told, the most common first."""


def fates_table(report: Report) -> Table:
    """How many candidates ended where, and why."""
    target = report.study.target
    found = Counter(fate(candidate, target) for candidate in report.candidates if candidate.pruning is None)
    meanings = {
        End.OVER_BUDGET: "counted, never trained",
        End.FAILED: _reasons(report.candidates),
        End.PRUNED: "not among the best of those trained as long, or larger than was still of use",
        End.RUNNING: "its end is not known yet",
        End.COMPLETE: "below the target",
        End.AT_TARGET: "in validation, once; confirmations say whether that holds",
    }
    rows = [(str(kind), number(found[kind]), meanings[kind.end]) for kind in sorted(found)]
    slimmed = sum(candidate.pruning is not None for candidate in report.candidates)
    if slimmed:
        rows.append(("made by pruning others", number(slimmed), "weights or filters left out; not searched"))
    return Table(
        caption="What became of the candidates",
        headings=("candidates", "number", "meaning"),
        rows=tuple(rows),
        words=("meaning",),
        foot=("all", number(len(report.candidates)), ""),
    )


def _reasons(candidates: Iterable[Candidate]) -> str:
    reasons = Counter(candidate.reason for candidate in candidates if candidate.state == State.FAILED)
    return "; ".join(f"{reason or 'no reason known'} ({count})" for reason, count in reasons.most_common(_REASONS))


def budgets_table(found: Iterable[Holding]) -> Table:
    """The best and the winner of each budget."""
    rows = []
    for one in found:
        best, winner = one.best, one.winner
        shown = ("-",) * 3 if best is None else (hashed(best), number(best.parameters), percent(best.accuracy))
        confirmed = None if winner is None else winner.confirmed_accuracy
        won = ("-", "-") if winner is None else (hashed(winner), number(winner.parameters))
        rows.append((number(one.budget), *shown, *won, percent(confirmed)))
    return Table(
        caption="By budget: the best that fits, and the winner",
        headings=("budget", "best", "parameters", "validation", "winner", "parameters", "confirmed"),
        rows=tuple(rows),
    )


def trail_table(candidates: Sequence[Candidate], trail: Trail) -> Table:
    """The winners in their order."""
    rows = [
        (
            hashed(candidates[win.number]),
            number(win.parameters),
            percent(candidates[win.number].confirmed_accuracy),
            f"{win.when:%Y-%m-%d %H:%M:%S}",
            Code(candidates[win.number].line),
        )
        for win in trail
    ]
    return Table(
        caption="Winners, each smaller than the one before",
        headings=("candidate", "parameters", "confirmed", "when", "architecture"),
        rows=tuple(rows),
        words=("architecture",),
    )


def layers_table(architecture: Architecture) -> Table:
    """Each layer with what it puts out and what it costs."""
    totals = architecture.totals
    rows = [
        (
            row.layer.kind.replace("_", " "),
            Code(row.layer.token()),
            describe(row.shape),
            number(row.parameters) if row.parameters else "",
            number(row.macs) if row.macs else "",
        )
        for row in architecture.rows()
    ]
    return Table(
        caption=f"Layers, from images of {describe(architecture.input)}",
        headings=("layer", "written", "output", "parameters", "MACs"),
        rows=tuple(rows),
        words=("written",),
        foot=("total", "", "", number(totals.parameters), number(totals.macs)),
    )


def candidates_table(candidates: Sequence[Candidate], caption: str) -> Table:
    """What people compare, a candidate a row."""
    rows = [
        (
            hashed(candidate),
            number(candidate.parameters),
            number(candidate.macs),
            percent(candidate.accuracy),
            str(candidate.epochs),
            percent(candidate.confirmed_accuracy),
            percent(candidate.verified_accuracy),
            str(candidate.pruning or candidate.state),
            Code(candidate.line),
        )
        for candidate in candidates
    ]
    headings = ("candidate", "parameters", "MACs", "validation", "epochs", "confirmed", "test", "state", "architecture")
    return Table(caption=caption, headings=headings, rows=tuple(rows), words=("state", "architecture"))


def confirmations_table(candidates: Iterable[Candidate], needed: int) -> Table:
    """A candidate a row, with all its confirmations."""
    rows = [
        (
            hashed(candidate),
            number(candidate.parameters),
            percent(candidate.accuracy),
            *_padded([f"{percent(run.accuracy)} (fold {run.fold})" for run in candidate.confirmations], needed),
            percent(candidate.confirmed_accuracy),
        )
        for candidate in candidates
    ]
    fresh = tuple(f"training {place}" for place in range(1, needed + 1))
    return Table(
        caption="Fresh trainings of hits, in validation",
        headings=("candidate", "parameters", "when chosen", *fresh, "mean"),
        rows=tuple(rows),
    )


def _padded(cells: Sequence[str], needed: int) -> list[str]:
    return [*cells, *["-"] * needed][: max(needed, len(cells))]


def runs_table(tested: Verified) -> Table:
    """Each training of a verification."""
    rows = [
        (
            str(run.place + 1),
            str(run.seed),
            str(run.epochs),
            percent(run.accuracy),
            number(round((1 - run.accuracy) * tested.images)),
            duration(run.seconds),
        )
        for run in tested.candidate.verifications
    ]
    return Table(
        caption="Trainings on all training images; the weights of the last epoch count",
        headings=("training", "seed", "epochs", "test accuracy", "wrong images", "time"),
        rows=tuple(rows),
    )


def confusion_table(tested: Verified) -> Table:
    """What test images were taken for."""
    classes = range(len(tested.confusion))
    rows: list[tuple[Cell, ...]] = [
        (str(true), *(number(count) if count else "." for count in tested.confusion[true])) for true in classes
    ]
    return Table(
        caption="Test images by class (rows) and by what they were taken for (columns), all trainings together",
        headings=("class", *map(str, classes)),
        rows=tuple(rows),
        is_square=True,
    )


def verified_table(verified: Iterable[Verified]) -> Table:
    """A verified candidate a row."""
    rows = [
        (
            hashed(one.candidate),
            number(one.candidate.parameters),
            str(one.summary.count),
            percent(one.summary.mean),
            interval(one.interval),
            points(one.summary.deviation),
            percent(one.summary.worst),
            str(one.candidate.pruning or one.candidate.state),
        )
        for one in verified
    ]
    headings = ("candidate", "parameters", "trainings", "mean", "95 % interval", "deviation", "worst", "state")
    return Table(
        caption=f"{counted(len(rows), 'verified candidate')}: accuracy on the test images",
        headings=headings,
        rows=tuple(rows),
        words=("state",),
    )
