"""How the trainings of one candidate went, as views."""

from __future__ import annotations

from math import isfinite

from dashboards.pareto.style import BLUE, ORANGE, PURPLE
from dashboards.text import counted, percent
from dashboards.views import scales
from dashboards.views.view import Curve, View
from space.candidate import Candidate

_LOOKS = ((ORANGE, "diamond-open"), (PURPLE, "square-open"), (BLUE, "circle"))
"""Colour and symbol of a rung, the longest last."""


def losses(candidate: Candidate) -> View | None:
    """Mean training loss by epoch, a line for each rung; None where no losses are known."""
    curves = {epochs: values for epochs, values in candidate.losses.items() if values}
    everything = [loss for values in curves.values() for loss in values if isfinite(loss) and loss > 0]
    if not everything:
        return None
    scale = scales.amounts("mean training loss (logarithmic)", everything, everything)
    looks = _LOOKS[-len(curves) :]
    series = tuple(
        Curve(
            name=f"training of {counted(epochs, 'epoch')}",
            x=tuple(float(epoch) for epoch in range(1, len(values) + 1)),
            y=tuple(scale.clip(loss) if isfinite(loss) else None for loss in values),
            colour=looks[place % len(looks)][0],
            symbol=looks[place % len(looks)][1],
            width=1.5,
        )
        for place, (epochs, values) in enumerate(curves.items())
    )
    return View(
        name="losses",
        title="Training loss",
        x=scales.counts("epoch", max(curves) + 0.5),
        y=scale,
        series=series,
    )


def accuracies(candidate: Candidate) -> View | None:
    """Validation accuracy by the length of the training; None where there is none."""
    if not candidate.rungs:
        return None
    errors = [1 - accuracy for accuracy in candidate.rungs.values()]
    scale = scales.accuracies(errors, errors)
    curve = Curve(
        name="validation accuracy",
        x=tuple(float(epochs) for epochs in candidate.rungs),
        y=tuple(scale.clip(error) for error in errors),
        colour=BLUE,
        symbol="circle",
        width=1.5,
        hovers=tuple(percent(accuracy) for accuracy in candidate.rungs.values()),
    )
    return View(
        name="accuracies",
        title="Validation accuracy",
        x=scales.epochs("epochs of the training", tuple(candidate.rungs)),
        y=scale,
        series=(curve,),
    )
