"""A board of studies in memory, and how its pages are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from dashboards.pareto.points import Study
from dashboards.report.numbers import Report
from dashboards.site.application import Site
from dashboards.site.board import AwayError, Kept, MissingError, Standing
from tests.dashboards.studies import won

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass
class Board:
    """What the test puts on it."""

    standings: dict[str, Standing] = field(default_factory=dict)
    is_away: bool = False
    files: list[Kept] = field(default_factory=list)
    importance: dict[str, float] = field(default_factory=dict)

    def put(self, study: Study, winner: int | None = None, **more: Any) -> None:
        """A study as it is now, with a winner if that has a number."""
        if winner is not None:
            study = replace(study, trail=won(study.candidates[winner]))
        told: dict[str, Any] = {"identity": 7, "drivers": (), "version": f"v{len(study.candidates)}"}
        self.standings[study.name] = Standing(study=study, **(told | more))

    def names(self) -> list[str]:
        self._answer()
        return list(self.standings)

    def standing(self, name: str) -> Standing:
        self._answer()
        if name not in self.standings:
            raise MissingError(f"no study is called {name}")
        return self.standings[name]

    def with_importance(self, name: str) -> Study:
        return replace(self.standing(name).study, importance=self.importance)

    def report(self, name: str) -> Report:
        raise NotImplementedError

    def kept(self, name: str, number: int) -> list[Kept]:
        return self.files

    def _answer(self) -> None:
        if self.is_away:
            raise AwayError("storage cannot be used: it is away")


def optuna(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """In the place of Optuna's dashboard."""
    start_response("200 OK", [("Content-Type", "image/svg+xml"), ("Access-Control-Allow-Origin", "*")])
    return [f"optuna {environ['PATH_INFO']}".encode()]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(board: Board | Site, address: str, method: str = "GET", **headers: str) -> Answer:
    """One request, as a server would pass it on; both sides are held to the WSGI standard."""
    site = board if isinstance(board, Site) else Site(board, optuna)
    parts = urlsplit(address)
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": parts.path, "QUERY_STRING": parts.query}
    environ |= {"REQUEST_URI": address, "SCRIPT_NAME": ""} | {f"HTTP_{name}": told for name, told in headers.items()}
    setup_testing_defaults(environ)
    heads: list[Any] = []

    def start_response(status: str, found: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        heads.append((status, found))
        return lambda _: None

    body = validator(site)(environ, start_response)
    content = b"".join(body)
    body.close()  # type: ignore[attr-defined]
    status, found = heads[0]
    assert len({name.lower() for name, _ in found}) == len(found)
    return Answer(int(status.split()[0]), dict(found), content)
