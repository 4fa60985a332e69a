"""What all pages of the dashboard share: their frame, and how a study's numbers are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from dashboards.pareto.points import Study
from dashboards.site import assets
from dashboards.site.answers import entity_tag, etag
from dashboards.site.board import Standing
from dashboards.site.html import Content, Html, element, link, study_address
from dashboards.tables import ranking
from dashboards.text import counted, number, percent
from space.candidate import Candidate, State

OPTUNA = "/dashboard"
"""Where Optuna's dashboard is."""
_ORDER = (State.COMPLETE, State.RUNNING, State.WAITING, State.PRUNED, State.OVER_BUDGET, State.FAILED)

Crumb = tuple[str, str]
"""What a link to a page above this one says, and its address."""


def page(title: str, *content: Content, crumbs: Iterable[Crumb] = (), scripts: Sequence[str] = ()) -> Html:
    """A whole page. `scripts` are assets that it needs."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} - petitnet"),
        element("link", rel="icon", href=assets.address("icon.svg"), type="image/svg+xml"),
        element("link", rel="stylesheet", href=assets.address("site.css")),
        [element("script", src=assets.address(script), defer=True) for script in scripts],
    )
    body = element(
        "body",
        link("#content", "To the content", class_="skip"),
        _header(crumbs),
        element("main", *content, id="content", tabindex="-1"),
        data_themes=assets.themes() if scripts else None,
    )
    return Html(f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n")


def _header(crumbs: Iterable[Crumb]) -> Html:
    above = [element("li", link(address, told)) for told, address in (("Studies", "/"), *crumbs)]
    ways = element("nav", element("ol", above), aria_label="Where you are")
    return element("header", link("/", "petitnet", class_="home"), ways, link(OPTUNA, "Optuna", class_="beside"))


def pulse() -> Html:
    """Where a script says how fresh the page is."""
    told = element("span", "", role="status", class_="state")
    return element("p", told, element("span", "", class_="time"), class_="pulse", hidden=True)


def live(address: str, content: Html) -> Html:
    """A part of a page that a script asks for again and again."""
    return element("div", content, data_live=address, data_tag=etag(entity_tag(content.encode())))


def ways(*links: Html) -> Html:
    """Where to go from here."""
    return element("ul", [element("li", one) for one in links], class_="ways")


def section(title: str, *content: Content, beside: Content = None) -> Html:
    """A part of a page under its heading, and what stands beside that."""
    return element("section", element("div", element("h2", title), beside, class_="head"), *content)


def facts(rows: Iterable[tuple[str, Content]]) -> Html:
    """Names and what is known of them."""
    return element("dl", [element("div", element("dt", name), element("dd", told)) for name, told in rows])


def candidate_link(name: str, number: int) -> Html:
    """To a candidate's page."""
    return link(study_address(name, "candidates", number), f"#{number}")


def optuna_address(standing: Standing, number: int | None = None) -> str:
    """Of Optuna's page of the study, or of one of its trials."""
    below = "" if number is None else f"/trials?numbers={number}"
    return f"{OPTUNA}/studies/{standing.identity}{below}"


def at_work(standing: Standing) -> Html:
    """Whether somebody searches the study now."""
    if not standing.drivers:
        return element("span", "nobody searches it now", class_="idle")
    return element("span", f"being searched by {', '.join(standing.drivers)}", class_="busy")


def counts(candidates: Iterable[Candidate]) -> str:
    """How many candidates are in which state."""
    found = Counter(candidate.state for candidate in candidates)
    told = ", ".join(f"{number(found[state])} {state}" for state in _ORDER if found[state])
    return f"{number(sum(found.values()))} in all: {told}" if told else "none yet"


def best(standing: Standing) -> Content:
    """The best candidate of the validation so far: the smallest winner, if there is one."""
    found = ranking(standing.study.candidates, standing.study.winner)
    if not found:
        return "none is trained yet"
    best = found[0]
    after = counted(best.epochs, "epoch")
    told = f" {percent(best.accuracy)} after {after}, {number(best.parameters)} parameters"
    return [candidate_link(standing.study.name, best.number), told]


def winner(standing: Standing) -> Content:
    """The confirmed winner, or that of each budget."""
    study = standing.study
    told = [_winner(study, budget, study.winners.get(budget)) for budget in study.budgets]
    return [["; " if place else None, one] for place, one in enumerate(told)]


def _winner(study: Study, budget: int, winner: int | None) -> Content:
    within = f"{number(budget)}: " if len(study.budgets) > 1 else ""
    if winner is None:
        return f"{within}none confirmed yet"
    found = study.candidates[winner]
    told = f" confirmed, {percent(found.confirmed_accuracy)} mean of {len(found.confirmations)} fresh trainings"
    return [within, candidate_link(study.name, winner), told]


def trail(standing: Standing) -> Content:
    """The winners in their order with their parameters, where there are several."""
    study = standing.study
    if len(study.trail) < 2:
        return None
    told = [[candidate_link(study.name, win.number), f" {number(win.parameters)}"] for win in study.trail]
    return [[", " if place else None, one] for place, one in enumerate(told)]


def verified(standing: Standing) -> Content:
    """Those that the test set was read for."""
    found = [candidate for candidate in standing.study.candidates if candidate.verifications]
    told = [
        [candidate_link(standing.study.name, one.number), f" {percent(one.verified_accuracy)} on test images"]
        for one in found
    ]
    return [[", " if place else None, one] for place, one in enumerate(told)] if told else "none yet"
