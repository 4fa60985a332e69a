"""The first page of the dashboard: all studies."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.site import frame
from dashboards.site.board import Standing
from dashboards.site.html import Html, element, link, study_address, together
from dashboards.text import goal

ADDRESS = "/now"
"""Of the part that changes."""


def page(standings: Sequence[Standing]) -> Html:
    """The whole page."""
    return frame.page(
        "Studies",
        element("h1", "Studies"),
        frame.pulse(),
        frame.live(ADDRESS, now(standings)),
        scripts=["site.js"],
    )


def now(standings: Sequence[Standing]) -> Html:
    """What changes while searches run."""
    if standings:
        return together([_study(standing) for standing in standings])
    begin = element("code", "search run --budget 10000 --target 0.994")
    return element("p", "No studies yet; begin with: ", begin)


def _study(standing: Standing) -> Html:
    study = standing.study
    sought = f"{goal(study.target, study.budgets)}, {study.dataset}"
    ways = [
        link(study_address(study.name), "Pareto front"),
        link(study_address(study.name, "report"), "report"),
        link(frame.optuna_address(standing), "in Optuna"),
    ]
    return element(
        "article",
        element("h2", link(study_address(study.name), study.name)),
        element("p", sought, " - ", frame.at_work(standing)),
        frame.facts(
            [
                ("candidates", frame.counts(study.candidates)),
                ("best so far", frame.best(standing)),
                ("winner", frame.winner(standing)),
                ("verified", frame.verified(standing)),
            ]
        ),
        frame.ways(*ways),
    )
