"""The page of one candidate: what it is, how its trainings went, what it was taken for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dashboards.site import curves, frame
from dashboards.site.board import Kept, MissingError, Standing
from dashboards.site.html import Content, Html, element, link, study_address, table
from dashboards.tables import layer_rows
from dashboards.text import choice, counted, duration, interval, number, percent, points
from space.candidate import Candidate
from space.layers import describe
from space.notation import read
from space.statistics import Summary

_WIDE = ("written", "MACs", "seed")
_WORDS = ("written",)


def find(standing: Standing, number: int) -> Candidate:
    """A candidate of a study; MissingError."""
    candidates = standing.study.candidates
    if not 0 <= number < len(candidates):
        raise MissingError(f"study {standing.study.name} has no candidate {number} (it has {len(candidates)})")
    return candidates[number]


def page(standing: Standing, candidate: Candidate, kept: Sequence[Kept]) -> Html:
    """The whole page."""
    name = standing.study.name
    return frame.page(
        f"#{candidate.number} of {name}",
        element("h1", f"Candidate #{candidate.number}", element("small", f" of {name}")),
        frame.facts(_facts(standing, candidate, kept)),
        _curves(name, candidate),
        _layers(name, candidate) if candidate.line else None,
        _confirmations(candidate) if candidate.confirmations else None,
        _verifications(candidate) if candidate.verifications else None,
        crumbs=[
            (name, study_address(name)),
            ("Candidates", study_address(name, "candidates")),
        ],
    )


def _won(standing: Standing, candidate: Candidate) -> str:
    trail = [win.number for win in standing.study.trail]
    if candidate.number not in trail:
        return ""
    return " - the confirmed winner" if candidate.number == trail[-1] else " - confirmed, before a smaller winner"


def _facts(standing: Standing, candidate: Candidate, kept: Sequence[Kept]) -> list[tuple[str, Content]]:
    name = standing.study.name
    state = f"{candidate.state}: {candidate.reason}" if candidate.reason else str(candidate.state)
    rungs = [f"{percent(value)} after {counted(epochs, 'epoch')}" for epochs, value in candidate.rungs.items()]
    origin: Content = candidate.origin
    if candidate.pruning is not None:
        origin = [candidate.origin, ", from ", frame.candidate_link(name, candidate.pruning.parent)]
    rows: list[tuple[str, Content]] = [
        ("state", f"{state}{_won(standing, candidate)}"),
        ("from", origin),
        ("architecture", element("code", candidate.line or "-")),
        ("identity", element("code", candidate.identity or "-")),
        ("parameters", f"{number(candidate.parameters)} of a budget of {choice(standing.study.budgets)}"),
        ("MACs per image", number(candidate.macs)),
        ("peak activations", f"{number(candidate.peak_activation_bytes)} bytes as float32"),
        ("validation", (", ".join(rungs) or "-") + _over_seeds(candidate)),
        ("training", f"{duration(candidate.seconds)}, seed {candidate.seed}" if candidate.seconds else "-"),
        ("asked, told", f"{_moment(candidate.begun)}, {_moment(candidate.ended)}"),
        ("elsewhere", link(frame.optuna_address(standing, candidate.number), "this trial in Optuna")),
    ]
    if kept:
        rows.append(("files", _separated([link(one.address, one.filename) for one in kept])))
    return rows


def _over_seeds(candidate: Candidate) -> str:
    """What other seeds of its longest training have made of its accuracy."""
    if not candidate.repeats:
        return ""
    seeds = ", ".join(percent(run.accuracy) for run in candidate.repeats)
    return f"; other seeds {seeds}; mean {percent(candidate.mean)}, standard error {points(candidate.standard_error)}"


def _separated(parts: Sequence[Content]) -> Content:
    return [[", " if place else None, part] for place, part in enumerate(parts)]


def _moment(moment: datetime | None) -> str:
    return "-" if moment is None else moment.isoformat(" ", timespec="seconds")


def _curves(name: str, candidate: Candidate) -> Html | None:
    views = [view for view in (curves.losses(candidate), curves.accuracies(candidate)) if view is not None]
    if not views:
        return None
    drawn = [element("figure", _picture(name, candidate, f"{view.name}.svg", _told(candidate))) for view in views]
    return frame.section("Curves", element("div", drawn, class_="pair"))


def _told(candidate: Candidate) -> str:
    """The curves in words."""
    rungs = [f"{percent(value)} after {counted(epochs, 'epoch')}" for epochs, value in candidate.rungs.items()]
    ends = [f"{losses[-1]:.3g} after {counted(len(losses), 'epoch')}" for losses in candidate.losses.values() if losses]
    return f"Validation accuracy {', '.join(rungs) or 'not known'}; training loss {', '.join(ends) or 'not known'}"


def _layers(name: str, candidate: Candidate) -> Html:
    architecture = read(candidate.line)
    totals = architecture.totals
    rows: list[tuple[Content, ...]] = [
        (
            row["kind"].replace("_", " "),
            element("code", row["token"]),
            describe(row["output"]),
            number(row["parameters"]) if row["parameters"] else "",
            number(row["macs"]) if row["macs"] else "",
        )
        for row in layer_rows(architecture)
    ]
    rows.append(("total", "", "", number(totals.parameters), number(totals.macs)))
    headings = ("layer", "written", "output", "parameters", "MACs")
    alt = f"The layers of {candidate.line}; the table has the same numbers"
    drawn = element("figure", _picture(name, candidate, "layers.svg", alt))
    told = element(
        "div", table(f"From an image of {describe(architecture.input)}", headings, rows, words=_WORDS, wide=_WIDE)
    )
    return frame.section("Layers", element("div", drawn, told, class_="pair"))


def _picture(name: str, candidate: Candidate, file: str, alt: str) -> Html:
    """Drawn for a wide screen or for a narrow one, in the reader's colours."""
    at = study_address(name, "candidates", candidate.number, file)
    narrow = element("source", media="(max-width: 600px)", srcset=f"{at}?narrow=1")
    return element("picture", narrow, element("img", src=at, alt=alt))


def _confirmations(candidate: Candidate) -> Html:
    rows = [
        (f"fold {one.fold}", percent(one.accuracy), str(one.seed), duration(one.seconds))
        for one in candidate.confirmations
    ]
    told = f"Mean {percent(candidate.confirmed_accuracy)} of {len(rows)} fresh trainings"
    headings = ("validated on", "accuracy", "seed", "training")
    return frame.section("Confirmations", table(told, headings, rows, wide=_WIDE))


def _verifications(candidate: Candidate) -> Html:
    runs = candidate.verifications
    summary = Summary.of([run.accuracy for run in runs])
    rows = [
        (f"{run.place + 1}", percent(run.accuracy), str(run.seed), counted(run.epochs, "epoch"), duration(run.seconds))
        for run in runs
    ]
    told = (
        f"Mean {percent(summary.mean)} of {summary.count}, standard deviation {points(summary.deviation)}, "
        f"worst {percent(summary.worst)}, 95 % interval {interval(summary.interval)}"
    )
    headings = ("training", "test accuracy", "seed", "length", "time")
    return frame.section(
        "Verified on the test images",
        element("p", told),
        table("Each training", headings, rows, wide=_WIDE),
        element("div", _confusion(candidate), class_="confusion"),
    )


def _confusion(candidate: Candidate) -> Html:
    """Test images by class and by what they were taken for, all trainings together; the more, the darker."""
    total = [
        [sum(counts) for counts in zip(*rows, strict=True)]
        for rows in zip(*(run.confusion for run in candidate.verifications), strict=True)
    ]
    most = max((count for row, counts in enumerate(total) for column, count in enumerate(counts) if row != column))
    rows: list[list[Content]] = [
        [f"{row}", *(_taken(count, row == column, most) for column, count in enumerate(counts))]
        for row, counts in enumerate(total)
    ]
    headings = ("class", *(f"{column}" for column in range(len(total))))
    told = (
        f"Test images by class (row) and by what they were taken for (column), {len(candidate.verifications)} trainings"
    )
    return table(told, headings, rows)


def _taken(count: int, is_right: bool, most: int) -> Html:
    share = 0.0 if is_right or not count else 0.15 + 0.6 * count / max(most, 1)
    return element(
        "span", number(count) if count else ".", class_="right" if is_right else "wrong", style=f"--share:{share:.2f}"
    )
