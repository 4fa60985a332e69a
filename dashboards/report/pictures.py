"""The pictures of a report: the front and the views, each with a sentence that says how to read it."""

from __future__ import annotations

from dataclasses import replace

from dashboards import layer_drawing
from dashboards.pareto import drawing as pareto_drawing
from dashboards.pareto.thinning import ThinChart
from dashboards.report.numbers import Report
from dashboards.report.parts import Paragraph, Picture, Section
from dashboards.report.words import hashed
from dashboards.text import counted, number, percent
from dashboards.views import drawing as view_drawing
from dashboards.views.catalogue import NAMES, view
from dashboards.views.view import View
from space.candidate import Candidate
from space.notation import read

READINGS = {
    "history": "Each step up is a candidate better than all before it, at the time at which it was told. Where a line "
    "stays flat, time bought nothing.",
    "epochs": "The same by the epochs that all trainings took together, which do not depend on the machine.",
    "pruned": "How far candidates came. Those over budget cost a count and no training; the shares below say whether "
    "that changed as the sampler learned.",
    "importance": "How much of the difference between good and poor candidates goes with each choice of the space. It "
    "says where to look, not what causes what.",
    "curves": "Each line is a candidate, by the lengths of its trainings. Where lines cross, a short training ranked "
    "candidates otherwise than a long one.",
    "losses": "Each line is one training. Rungs are trainings of their own, from fresh weights and with a whole "
    "schedule of the learning rate each, so that a short line is not the beginning of a long one.",
    "proposals": "The parameters of each proposal, in order. A sampler that learns the budget proposes ever fewer "
    "above its line and ever more close below it.",
}
"""How each view is read, by its name."""


def names() -> tuple[str, ...]:
    """Of all pictures that a report may have."""
    return ("layers", "pareto", *NAMES)


def layers(candidate: Candidate) -> Picture:
    """The layers of one that has an architecture."""
    architecture = read(candidate.line)
    totals = architecture.totals
    return Picture(
        name="layers",
        alternative=f"The layers of {hashed(candidate)} from the image down to the classes, with what they put out as "
        f"boxes and their costs as bars: {number(totals.parameters)} parameters and {number(totals.macs)} MACs in all. "
        "The table below has the same numbers.",
        draw=lambda width: layer_drawing.draw(architecture, width),
        draw_whole=lambda width: layer_drawing.draw(architecture, width),
        width=layer_drawing.WIDTH,
    )


def front(report: Report) -> Section:
    """Accuracy against parameters."""
    title = "Accuracy against parameters"
    if report.chart is None:
        return Section(title, (Paragraph("Nothing to draw yet: no candidate has an accuracy."),))
    reading = (
        "Each point is an accuracy of a candidate. The staircase is the front: at each size the best accuracy of a "
        "network of that size or smaller. Equal steps upwards are equal ratios of wrong images."
    )
    return Section(title, (Paragraph(reading), _pareto(report, report.chart)))


def _pareto(report: Report, chart: ThinChart) -> Picture:
    bare = _Bare(chart.studies, chart.cost)
    first, last = report.front[0], report.front[-1]
    return Picture(
        name="pareto",
        alternative=f"Accuracy against parameters. The front has {counted(len(report.front), 'candidate')}, from "
        f"{percent(first.accuracy)} with {number(first.parameters)} parameters to {percent(last.accuracy)} with "
        f"{number(last.parameters)}; a table below names them.",
        notes=tuple(chart.notes()),
        draw=lambda width: pareto_drawing.draw(bare, width),
        draw_whole=lambda width: pareto_drawing.draw(chart, width),
        width=pareto_drawing.WIDTH,
    )


class _Bare(ThinChart):
    """Without notes, where they stand beside the picture."""

    def notes(self) -> list[str]:
        return []


def views(report: Report) -> Section:
    """How the search went, a section a view."""
    return Section("How the search went", (), tuple(_view(report, view(report.study, name)) for name in NAMES))


def _view(report: Report, shown: View) -> Section:
    title = shown.title.removeprefix(f"{report.study.name}: ").capitalize()
    if not shown.series:
        return Section(title, tuple(map(Paragraph, shown.notes)))
    return Section(title, (Paragraph(READINGS[shown.name]), _picture(shown, title)))


def _picture(shown: View, title: str) -> Picture:
    return Picture(
        name=shown.name,
        alternative=f"{title}: what it shows is told above and below.",
        notes=shown.notes,
        draw=lambda width: view_drawing.draw(replace(shown, notes=()), width),
        draw_whole=lambda width: view_drawing.draw(shown, width),
        width=view_drawing.WIDTH,
    )
