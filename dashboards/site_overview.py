"""The first page of the dashboard: all studies."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards import site_frame
from dashboards.site_board import Standing
from dashboards.site_html import Html, element, link, study_address, together
from dashboards.text import number, percent

ADDRESS = "/now"
"""Of the part that changes."""


def page(standings: Sequence[Standing]) -> Html:
    """The whole page."""
    return site_frame.page(
        "Studies",
        element("h1", "Studies"),
        site_frame.pulse(),
        site_frame.live(ADDRESS, now(standings)),
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
    goal = f"{percent(study.target)} with at most {number(study.budget)} parameters, {study.dataset}"
    ways = [
        link(study_address(study.name), "Pareto front"),
        link(study_address(study.name, "report"), "report"),
        link(site_frame.optuna_address(standing), "in Optuna"),
    ]
    return element(
        "article",
        element("h2", link(study_address(study.name), study.name)),
        element("p", goal, " - ", site_frame.at_work(standing)),
        site_frame.facts(
            [
                ("candidates", site_frame.counts(study.candidates)),
                ("best so far", site_frame.best(standing)),
                ("winner", site_frame.winner(standing)),
                ("verified", site_frame.verified(standing)),
            ]
        ),
        site_frame.ways(*ways),
    )
