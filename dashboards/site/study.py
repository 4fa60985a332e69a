"""The pages of a study: its figures and the best of it, live, and the list of all its candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards.pareto.points import Cost
from dashboards.site import frame
from dashboards.site.board import Standing
from dashboards.site.figures import pareto_notes
from dashboards.site.html import Content, Html, element, link, percents, study_address, table, together
from dashboards.tables import ranking
from dashboards.text import duration, goal, number, percent
from space.candidate import Candidate, State

BEST = 20
"""Candidates in the table of the best."""
PER_PAGE = 100
"""Candidates on one page of the list of all."""
_COSTS = {Cost.PARAMETERS: "parameters", Cost.MACS: "MACs", Cost.PEAK: "peak bytes"}
_WIDE = ("MACs", "epochs", "architecture", "training", "rungs")
_WORDS = ("state", "architecture")


def page(standing: Standing, cost: Cost, titles: Mapping[str, str]) -> Html:
    """The study's page. `titles` are those of the other views, by name."""
    name = standing.study.name
    views = [frame.section(title, _figure(name, view, title, class_="plot")) for view, title in titles.items()]
    return frame.page(
        name,
        element("h1", name),
        frame.pulse(),
        frame.live(study_address(name, "now"), now(standing)),
        frame.section("Accuracy by cost", _pareto(standing, cost), beside=_choice(name, cost)),
        frame.section("Best candidates", frame.live(study_address(name, "best"), best(standing))),
        element("div", views, class_="views"),
        scripts=["plotly.js", "site.js"],
    )


def now(standing: Standing) -> Html:
    """Where the study stands, which changes while a search runs."""
    study = standing.study
    trail = frame.trail(standing)
    rows: list[tuple[str, Content]] = [
        ("goal", f"{goal(study.target, study.budgets)}, {study.dataset}"),
        ("search", frame.at_work(standing)),
        ("candidates", frame.counts(study.candidates)),
        ("best so far", frame.best(standing)),
        ("winner", frame.winner(standing)),
        *([("winners so far", trail)] if trail else []),
        ("verified", frame.verified(standing)),
    ]
    ways = frame.ways(
        link(study_address(study.name, "candidates"), "all candidates"),
        link(study_address(study.name, "report"), "report"),
        link(frame.optuna_address(standing), "in Optuna"),
    )
    return together(frame.facts(rows), ways)


def best(standing: Standing) -> Html:
    """The table of the best, which changes too."""
    name = standing.study.name
    headings = ("#", "parameters", "MACs", "accuracy", "epochs", "confirmed", "test", "architecture")
    rows = [
        (
            frame.candidate_link(name, one.number),
            number(one.parameters),
            number(one.macs),
            percent(one.accuracy),
            one.epochs,
            percent(one.confirmed_accuracy),
            percent(one.verified_accuracy),
            element("code", one.line),
        )
        for one in ranking(standing.study.candidates, standing.study.winner)[:BEST]
    ]
    told = "Validation accuracy, the longest trainings first"
    return table(told, headings, rows, words=_WORDS, wide=_WIDE) if rows else element("p", "None is trained yet.")


def _choice(name: str, chosen: Cost) -> Html:
    ways = [
        link(f"{study_address(name)}?cost={cost}", told, aria_current="true" if cost == chosen else None)
        for cost, told in _COSTS.items()
    ]
    return element("nav", ways, class_="choice", aria_label="Cost on the lower axis")


def _pareto(standing: Standing, cost: Cost) -> Html:
    """With its notes there from the start, so that what is below stays where it is when the script brings them."""
    name = standing.study.name
    still = element("img", src=f"{study_address(name, 'pareto.svg')}?cost={cost}", alt="The Pareto front")
    alt = f"Accuracy by {_COSTS[cost]} of all candidates; the table of the best has the same numbers"
    notes = pareto_notes(standing.study, cost)
    return together(_figure(name, f"pareto-{cost}", alt, "plot tall", notes), element("noscript", still))


def _figure(name: str, figure: str, alt: str, class_: str, notes: Sequence[str] = ()) -> Html:
    """What a script draws into, and the notes below it."""
    waiting = element("p", "The figure is being made.", class_="waiting")
    place = element("div", waiting, class_=class_, role="group", aria_label=alt)
    return element(
        "div",
        place,
        element("ul", [element("li", note) for note in notes], class_="notes"),
        data_figure=study_address(name, "figures", f"{figure}.json"),
        data_candidates=study_address(name, "candidates"),
    )


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Which candidates a page of the list shows."""

    state: State | None = None
    """None for all."""
    page: int = 1

    def address(self, name: str) -> str:
        """Of this part of the list."""
        state = "" if self.state is None else f"state={self.state.replace(' ', '+')}&"
        return f"{study_address(name, 'candidates')}?{state}page={self.page}"


def listing(standing: Standing, chosen: Listing) -> Html:
    """A page of the list of all candidates, the latest first."""
    study = standing.study
    found = [one for one in reversed(study.candidates) if chosen.state in (None, one.state)]
    shown = found[PER_PAGE * (chosen.page - 1) : PER_PAGE * chosen.page]
    headings = ("#", "state", "parameters", "accuracy", "rungs", "training", "architecture")
    rows = [_listed(study.name, one) for one in shown]
    pages = -(-len(found) // PER_PAGE)
    return frame.page(
        f"Candidates of {study.name}",
        element("h1", f"Candidates of {study.name}"),
        _states(study.name, chosen),
        table(f"{number(len(found))} candidates", headings, rows, words=_WORDS, wide=_WIDE)
        if rows
        else element("p", "None."),
        _pages(study.name, chosen, pages),
        crumbs=[(study.name, study_address(study.name))],
    )


def _listed(name: str, one: Candidate) -> tuple[Content, ...]:
    return (
        frame.candidate_link(name, one.number),
        str(one.state),
        number(one.parameters),
        percent(one.accuracy),
        percents(one.rungs.values()),
        duration(one.seconds) if one.seconds else "-",
        element("code", one.line),
    )


def _states(name: str, chosen: Listing) -> Html:
    ways = [
        link(Listing(state=state).address(name), told, aria_current="true" if state == chosen.state else None)
        for state, told in ((None, "all"), *((state, str(state)) for state in State))
    ]
    return element("nav", ways, class_="choice", aria_label="State of the candidates")


def _pages(name: str, chosen: Listing, pages: int) -> Html | None:
    if pages < 2:
        return None
    ways = [
        link(
            Listing(state=chosen.state, page=place).address(name),
            place,
            aria_current="page" if place == chosen.page else None,
        )
        for place in range(1, pages + 1)
    ]
    return element("nav", ways, class_="choice", aria_label="Pages of the list")
