"""What the dashboard shows without a script: pictures as SVG, and the report."""

from __future__ import annotations

from dashboards.ink import drawing
from dashboards.pareto.points import Cost, Study
from dashboards.pareto.thinning import ThinChart
from dashboards.report.numbers import Report
from dashboards.site import curves
from dashboards.site.answers import STYLES_ONLY, Answer, picture
from dashboards.site.answers import page as answers_page
from dashboards.site.board import MissingError
from dashboards.site.figures import nothing_trained
from dashboards.site.html import Html
from dashboards.views.view import View
from space.candidate import Candidate
from space.notation import read

WIDTHS = {"losses.svg": 480, "accuracies.svg": 480, "layers.svg": 720}
"""Of a candidate's pictures, in pixels; on narrow screens they are NARROW."""
NARROW = 360


def pareto(study: Study, cost: Cost) -> Answer:
    """The Pareto front; MissingError as long as no candidate has an accuracy."""
    from dashboards.pareto.drawing import draw

    if all(candidate.accuracy is None for candidate in study.candidates):
        raise MissingError(nothing_trained(study))
    return picture(drawing.svg(draw(ThinChart((study,), cost), 1000)))


def report(found: Report) -> Answer:
    """The report as a page; the files that lie beside a report on a disk are not here."""
    from dashboards.report.page import page
    from dashboards.report.sections import document

    return answers_page(Html(page(document(found), has_files=False)), STYLES_ONLY)


def of_candidate(candidate: Candidate, file: str, width: int) -> Answer:
    """One of `WIDTHS`; MissingError where the candidate has nothing to draw."""
    match file:
        case "losses.svg":
            return _curves(curves.losses(candidate), width)
        case "accuracies.svg":
            return _curves(curves.accuracies(candidate), width)
        case _:
            return _layers(candidate, width)


def _curves(view: View | None, width: int) -> Answer:
    from dashboards.views.drawing import draw

    if view is None:
        raise MissingError("the candidate has no such curve")
    return picture(drawing.svg(draw(view, width)))


def _layers(candidate: Candidate, width: int) -> Answer:
    from dashboards.layer_drawing import draw

    if not candidate.line:
        raise MissingError("the candidate's architecture is not known")
    return picture(drawing.svg(draw(read(candidate.line), width)))
