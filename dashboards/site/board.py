"""What the pages of the dashboard are made of, and where they get it from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dashboards.pareto.points import Study
from dashboards.report.numbers import Report


class MissingError(LookupError):
    """There is no such study, candidate or page; the message is for the reader."""


class AwayError(Exception):
    """The study database does not answer; the message is for the reader."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A study as it stood at one moment."""

    study: Study
    identity: int
    """Optuna's number of it."""
    drivers: tuple[str, ...]
    """Who searches it now."""
    version: str
    """Another one whenever anything else here is another."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file that is kept with a candidate."""

    filename: str
    mimetype: str
    address: str


class Board(Protocol):
    """Reads studies, for any number of threads at once. Each method raises AwayError while the database is away."""

    def names(self) -> list[str]:
        """Of all studies."""

    def standing(self, name: str) -> Standing:
        """Of one study, at most a second old; MissingError."""

    def with_importance(self, name: str) -> Study:
        """A study whose choices have their importance, which takes long to compute; MissingError."""

    def report(self, name: str) -> Report:
        """All that is known of a study, some seconds old at most; MissingError."""

    def kept(self, name: str, number: int) -> list[Kept]:
        """The files of a candidate; MissingError."""
