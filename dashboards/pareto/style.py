"""How the series of a Pareto picture look and what they are called, whatever it is drawn with.

Colours are those of Okabe and Ito (2008), which the colour-blind tell apart; symbols differ as well, for print in grey.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dashboards.pareto.chart import Chart
from dashboards.pareto.points import Kind, Point
from dashboards.text import counted, duration, number, percent

BLUE, SKY, ORANGE, GREEN = "#0072B2", "#56B4E9", "#E69F00", "#009E73"
VERMILLION, PURPLE, GREY = "#D55E00", "#CC79A7", "#808080"
_STUDIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
_RUNGS = (SKY, ORANGE, PURPLE)

Key = tuple[str, Kind, int]
"""Of a series, as in `Chart.shown`: study, kind, and epochs or 0."""


class Style(NamedTuple):
    """How the points of one series look."""

    symbol: str
    """A name that plotly knows: circle, diamond, square, triangle-up, x, star or cross, `-open` for an outline."""
    colour: str
    size: float
    """Width in pixels."""


_KINDS = {
    Kind.COMPLETE: Style("circle", BLUE, 9),
    Kind.RUNNING: Style("triangle-up-open", SKY, 9),
    Kind.FAILED: Style("x", PURPLE, 8),
    Kind.SLIMMED: Style("square", GREEN, 9),
    Kind.VERIFIED: Style("star", VERMILLION, 14),
    Kind.PUBLISHED: Style("cross", GREY, 10),
}
_PRUNED = ("circle-open", "diamond-open", "square-open")
"""By rung, beginning with the lowest."""


def styles(chart: Chart) -> dict[Key, Style]:
    """Of each series; in a picture of several studies the colour is the study's."""
    rungs = sorted({epochs for _, kind, epochs in chart.shown if kind == Kind.PRUNED})
    found = {}
    for key in chart.shown:
        study, kind, epochs = key
        if kind == Kind.PRUNED:
            place = min(rungs.index(epochs), len(_PRUNED) - 1)
            style = Style(_PRUNED[place], _RUNGS[place], 8)
        else:
            style = _KINDS[kind]
        if len(chart.studies) > 1 and study:
            style = style._replace(colour=study_colour(chart, study))
        found[key] = style
    return found


def study_colour(chart: Chart, study: str) -> str:
    """Of a study's front; black and white print tells studies apart by their labels alone."""
    names = [one.name for one in chart.studies]
    return _STUDIES[names.index(study) % len(_STUDIES)]


def label(kind: Kind, epochs: int) -> str:
    """What a legend calls a series: on which images it was measured, and what became of the candidates."""
    after = f"after {counted(epochs, 'epoch')}"
    return {
        Kind.COMPLETE: "validation: trained to the end",
        Kind.PRUNED: f"validation: pruned {after}",
        Kind.RUNNING: "validation: in training",
        Kind.FAILED: "validation: failed later",
        Kind.SLIMMED: "validation: weights or filters pruned",
        Kind.VERIFIED: "test: verified",
        Kind.PUBLISHED: "test: published (chosen on the test set)",
    }[kind]


def facts(point: Point) -> list[str]:
    """All that is known of a point, line by line; the architecture is broken where it is long."""
    epochs = f", {counted(point.epochs, 'epoch')}" if point.epochs else ""
    ends = "" if point.interval is None else f" ({percent(point.interval[0])} to {percent(point.interval[1])})"
    lines = [
        f"{point.name} {point.study}".rstrip(),
        f"{percent(point.accuracy)}{ends} on {'test' if point.kind.is_test else 'validation'} images{epochs}",
        f"{point.kind}; {point.remark}" if point.remark else str(point.kind),
        f"{number(point.parameters)} parameters, {number(point.macs)} MACs, {number(point.peak_bytes)} peak bytes",
    ]
    if point.seconds:
        lines.append(f"{duration(point.seconds)} of training" + ("" if point.seed is None else f", seed {point.seed}"))
    return [*lines, *broken(point.line)]


def broken(line: str, width: int = 44) -> list[str]:
    """A one-line notation in pieces of at most `width` characters, broken after its dashes where there are any."""
    return wrapped((f"{part}-" for part in line.split("-")[:-1]), width, last=line.split("-")[-1])


def wrapped(parts: Iterable[str], width: int, last: str = "") -> list[str]:
    """Parts put together again to lines of at most `width` characters; a longer part is broken."""
    lines = [""]
    for whole in (*parts, last):
        *full, part = [whole[at : at + width] for at in range(0, len(whole), width)] or [""]
        lines += full
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return [line for line in lines if line]


def accuracy_tick(error: float) -> str:
    """`99.4 %` for an error of 0.006: no more digits than it needs."""
    return f"{round(100 * (1 - error), 6):g} %"


def cost_tick(cost: float) -> str:
    """`10k` for 10,000."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if cost >= size:
            return f"{cost / size:g}{letter}"
    return f"{cost:g}"
