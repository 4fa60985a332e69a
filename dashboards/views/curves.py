"""Learning curves of the trainings in rungs: accuracies by the length of the training."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from dashboards.pareto.points import Study
from dashboards.text import counted, percent
from dashboards.views import scales
from dashboards.views.fates import fate, look
from dashboards.views.history import target_line
from dashboards.views.lines import MOST_LINES, THICK, Line, drawn_note, together
from dashboards.views.searched import (
    below_note,
    facts,
    farthest_first,
    lengths,
    pruned_networks_note,
    searched,
)
from dashboards.views.view import Band, Curve, Scale, Series, View
from space.candidate import Candidate

_FEWEST = 10
"""Accuracies at a length of which shares are shown, at least."""

_Middle = tuple[int, float, float]
"""Epochs, and the errors that one in ten is below and above."""


def accuracies(study: Study) -> View:
    """The accuracy of each training of a candidate by its length, joined, for those that went farthest."""
    trained = farthest_first(searched(study))
    drawn, middle = trained[:MOST_LINES], _middle(trained, lengths(study))
    errors = [1 - accuracy for candidate in drawn for accuracy in candidate.rungs.values()]
    goal = 1 - study.target
    y = scales.accuracies(errors or [goal], [goal, *(end for _, *ends in middle for end in ends)])
    x = scales.epochs("epochs of the training (logarithmic)", lengths(study) or [1])
    lines: list[Series] = [*_band(middle, y), *_by_fate(study, drawn, y), target_line(study, x)] if drawn else []
    return View(
        name="curves",
        title=f"{study.name}: accuracy by length of training",
        x=x,
        y=y,
        series=tuple(lines),
        notes=(
            *_reading(trained),
            *drawn_note(len(drawn), len(trained)),
            *below_note(errors, y.high),
            *pruned_networks_note(study),
        ),
    )


def _reading(trained: Sequence[Candidate]) -> list[str]:
    if not trained:
        return ["Nothing to draw yet: no candidate has an accuracy."]
    best = trained[0]
    return [
        f"Best: #{best.number}, {percent(best.accuracy)} after {counted(best.epochs, 'epoch')}. "
        "Every length is a training of its own, from the beginning."
    ]


def _middle(trained: Sequence[Candidate], epochs: Sequence[int]) -> list[_Middle]:
    """Of eight in ten of all candidates at each length that enough of them have; none for a single length."""
    found = []
    for length in epochs:
        errors = [1 - candidate.rungs[length] for candidate in trained if length in candidate.rungs]
        if len(errors) >= _FEWEST:
            tenths = statistics.quantiles(errors, n=10, method="inclusive")
            found.append((length, tenths[0], tenths[-1]))
    return found if len(found) > 1 else []


def _band(middle: Sequence[_Middle], y: Scale) -> list[Band]:
    if not middle:
        return []
    return [
        Band(
            name="8 in 10 of all at this length",
            x=tuple(float(length) for length, _, _ in middle),
            low=tuple(y.clip(low) for _, low, _ in middle),
            high=tuple(y.clip(high) for _, _, high in middle),
        )
    ]


def _by_fate(study: Study, drawn: Sequence[Candidate], y: Scale) -> list[Curve]:
    """A series for each fate, and on top of them one for the best of all."""
    best, *others = drawn
    curves = []
    for one in sorted({fate(candidate, study.target) for candidate in others}):
        seen = look(one, lengths(study))
        lines = [_line(candidate, y) for candidate in others if fate(candidate, study.target) == one]
        curves.append(together(str(one), lines, seen.colour, seen.symbol))
    return [*curves, together(f"best: #{best.number}", [_line(best, y)], "ink", "circle", THICK)]


def _line(candidate: Candidate, y: Scale) -> Line:
    rungs = sorted(candidate.rungs.items())
    return Line([epochs for epochs, _ in rungs], [y.clip(1 - accuracy) for _, accuracy in rungs], facts(candidate))
