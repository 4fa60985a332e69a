"""The dashboard's pages under one address, beside Optuna's: which request is answered by what."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

from dashboards.pareto.points import Cost
from dashboards.site import answers, assets, candidate, figures, frame, overview, pictures, study
from dashboards.site.answers import Answer
from dashboards.site.board import AwayError, Board, MissingError, Standing
from dashboards.site.cache import Cache
from dashboards.site.html import element, study_name
from dashboards.site.study import Listing
from space.candidate import State

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_OPTUNA = frozenset({"dashboard", "api", "static", "csv", "artifacts", "favicon.ico", "incompatible-rdb-schema"})
"""First segments of the addresses of Optuna's dashboard, which are absolute."""

_DIGITS = 9
"""Of a number in an address, at most."""

Query = dict[str, list[str]]


class Site:
    """WSGI application: our pages, and Optuna's dashboard at its own addresses. Ours answer to GET and HEAD."""

    def __init__(self, board: Board, optuna: WSGIApplication) -> None:
        self._board = board
        self._optuna = optuna
        self._cache = Cache()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path, _, query = _address(environ).partition("?")
        segments = path.strip("/").split("/")
        if segments[0] in _OPTUNA:
            inside = _inert(start_response) if segments[0] == "artifacts" else start_response
            return self._optuna(environ, inside)
        try:
            answer = self._answer(segments, parse_qs(query))
        except MissingError as error:
            answer = _sorry("404 Not Found", "Not here", str(error))
        except AwayError as error:
            answer = _sorry("503 Service Unavailable", "The study database does not answer", str(error))
        return answers.send(answer, environ, start_response)

    def _answer(self, segments: list[str], query: Query) -> Answer:
        match segments:
            case [""]:
                return answers.page(overview.page(self._standings()))
            case ["now"]:
                return self._overview()
            case ["assets", file]:
                return assets.serve(file)
            case ["studies", name, *below]:
                return self._study(study_name(name), below, query)
            case _:
                raise MissingError("there is no such page")

    def _overview(self) -> Answer:
        standings = self._standings()
        versions = " ".join(standing.version for standing in standings)
        return self._cache.get("overview", versions, lambda: answers.page(overview.now(standings)))

    def _standings(self) -> list[Standing]:
        found = []
        for name in self._board.names():
            with suppress(MissingError):  # it was deleted meanwhile
                found.append(self._board.standing(name))
        return found

    def _study(self, name: str, below: list[str], query: Query) -> Answer:
        standing = self._board.standing(name)
        match below:
            case []:
                return self._page(standing, _cost(query))
            case ["now"]:
                return self._cached(standing, "now", lambda: answers.page(study.now(standing)))
            case ["best"]:
                return self._cached(standing, "best", lambda: answers.page(study.best(standing)))
            case ["pareto.svg"]:
                return self._cached(
                    standing, f"svg-{_cost(query)}", lambda: pictures.pareto(standing.study, _cost(query))
                )
            case ["figures", file] if file.endswith(".json"):
                return self._figure(standing, file.removesuffix(".json"))
            case ["report"]:
                return self._report(name)
            case ["candidates"]:
                return answers.page(study.listing(standing, _listing(query)))
            case ["candidates", number, *more] if _is_number(number):
                return self._candidate(standing, int(number), more, query)
            case _:
                raise MissingError(f"study {name} has no such page")

    def _page(self, standing: Standing, cost: Cost) -> Answer:
        return self._cached(
            standing, f"page-{cost}", lambda: answers.page(study.page(standing, cost, figures.titles()))
        )

    def _cached(self, standing: Standing, what: str, make: Callable[[], Answer]) -> Answer:
        return self._cache.get((standing.study.name, what), standing.version, make)

    def _figure(self, standing: Standing, name: str) -> Answer:
        if name in figures.PARETO:
            return self._cached(standing, name, lambda: figures.pareto(standing.study, figures.PARETO[name]))
        if name not in figures.titles():
            raise MissingError(f"there is no figure {name}")
        if name != "importance":
            return self._cached(standing, name, lambda: figures.view(standing.study, name))
        study = self._board.with_importance(standing.study.name)
        return self._cache.get((study.name, name), repr(study.importance), lambda: figures.view(study, name))

    def _report(self, name: str) -> Answer:
        report = self._board.report(name)
        return self._cache.get((name, "report"), str(report.made), lambda: pictures.report(report))

    def _candidate(self, standing: Standing, number: int, below: list[str], query: Query) -> Answer:
        found = candidate.find(standing, number)
        match below:
            case []:
                kept = self._board.kept(standing.study.name, number)
                return answers.page(candidate.page(standing, found, kept))
            case [file] if file in pictures.WIDTHS:
                width = pictures.NARROW if "narrow" in query else pictures.WIDTHS[file]
                return pictures.of_candidate(found, file, width)
            case _:
                raise MissingError(f"candidate {number} has no such page")


def _address(environ: WSGIEnvironment) -> str:
    """What was asked for as it was sent: in PATH_INFO a quoted slash looks like any other."""
    sent = environ.get("REQUEST_URI")
    if sent is not None:
        return str(sent)
    path = quote(environ.get("PATH_INFO", "").encode("latin-1"))
    return f"{path}?{environ.get('QUERY_STRING', '')}"


def _cost(query: Query) -> Cost:
    """What is chosen for the lower axis; parameters where it is nothing that we know."""
    chosen = query.get("cost", [""])[0]
    return Cost(chosen) if chosen in list(Cost) else Cost.PARAMETERS


def _listing(query: Query) -> Listing:
    """Which part of the list is asked for: the beginning of all where it is none that we know."""
    state, page = query.get("state", [""])[0], query.get("page", [""])[0]
    return Listing(
        state=State(state) if state in list(State) else None,
        page=max(1, int(page)) if _is_number(page) else 1,
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS


def _sorry(status: str, title: str, told: str) -> Answer:
    page = frame.page(title, element("h1", title), element("p", told))
    return replace(answers.page(page), status=status)


def _inert(start_response: StartResponse) -> StartResponse:
    """Files that somebody kept with a candidate are shown without scripts and to nobody else's pages."""

    def start(status: str, headers: list[tuple[str, str]], *exception: Any) -> Any:
        kept = [(name, value) for name, value in headers if name.lower() != "access-control-allow-origin"]
        return start_response(
            status, [*kept, ("Content-Security-Policy", f"{answers.STYLES_ONLY}; sandbox")], *exception
        )

    return start
