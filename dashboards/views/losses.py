"""Training losses by epoch, in the trainings of each length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from math import isfinite

from dashboards.pareto.points import Study
from dashboards.text import counted
from dashboards.views import scales
from dashboards.views.lines import MOST_LINES, THICK, Line, drawn_note, together
from dashboards.views.searched import facts, farthest_first, pruned_networks_note, searched, training_styles
from dashboards.views.view import Curve, View
from space.candidate import Candidate


def losses(study: Study) -> View:
    """The training loss after each epoch of each training, for the candidates that went farthest."""
    trained = [candidate for candidate in farthest_first(searched(study)) if any(map(_drawable, _losses(candidate)))]
    drawn = _with_few_lines(trained)
    values = [loss for candidate in drawn for loss in _losses(candidate) if _drawable(loss)]
    if values:
        notes = [
            "The mean loss on the training images over an epoch, augmentation and label smoothing included; every "
            "length is a training of its own.",
            *drawn_note(len(drawn), len(trained)),
        ]
    else:
        notes = ["Nothing to draw yet: no candidate has losses."]
    longest = max((length for candidate in drawn for length in candidate.losses), default=1)
    doubled = [2**power for power in range(longest.bit_length())]
    return View(
        name="losses",
        title=f"{study.name}: training loss by epoch",
        x=scales.epochs("epoch of the training (logarithmic)", doubled, longest),
        y=scales.amounts("mean loss (logarithmic)", values or [1.0], values),
        series=tuple(_by_length(study, drawn)),
        notes=(*notes, *pruned_networks_note(study)),
    )


def _losses(candidate: Candidate) -> Iterable[float]:
    return chain(*candidate.losses.values())


def _drawable(loss: float) -> bool:
    """Whether it has a logarithm; the loss of a failed training may be NaN."""
    return isfinite(loss) and loss > 0


def _with_few_lines(trained: Iterable[Candidate]) -> list[Candidate]:
    """The first of them, as many as have no more trainings than may be drawn."""
    found: list[Candidate] = []
    lines = 0
    for candidate in trained:
        lines += len(candidate.losses)
        if lines > MOST_LINES:
            break
        found.append(candidate)
    return found


def _by_length(study: Study, drawn: Sequence[Candidate]) -> list[Curve]:
    """A series for each length of training, and on top of them one for the best candidate's longest."""
    if not drawn:
        return []
    best = drawn[0]
    curves = []
    for length, style in training_styles(study).items():
        lines = [_line(candidate, length) for candidate in drawn if length in candidate.losses]
        curves += [together(counted(length, "epoch"), lines, style.colour, style.symbol)] if lines else []
    longest = _line(best, max(best.losses))
    return [*curves, together(f"best: #{best.number}", [longest], "ink", "circle", THICK)]


def _line(candidate: Candidate, length: int) -> Line:
    there = [(epoch, loss) for epoch, loss in enumerate(candidate.losses[length], 1) if _drawable(loss)]
    return Line([epoch for epoch, _ in there], [loss for _, loss in there], facts(candidate))
