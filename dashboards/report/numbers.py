"""The numbers of a report on one study: what was asked, what was found and how sure that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from dashboards.budgets import Holding, budget_rows, holdings, trail_rows
from dashboards.pareto.points import Cost, Study
from dashboards.pareto.thinning import ThinChart
from dashboards.tables import candidate_row, ranking
from space.candidate import Candidate, State
from space.confusion import Confusion
from space.statistics import Interval, Summary, proportion_interval
from space.trail import unmet

SHOWN = 20
"""Candidates in the table of the best."""


@dataclass(frozen=True)
class Verified:
    """What the verifications of a candidate, one at least, came to on the test images."""

    candidate: Candidate

    @cached_property
    def summary(self) -> Summary:
        """Of the trainings."""
        return Summary.of([run.accuracy for run in self.candidate.verifications])

    @cached_property
    def confusion(self) -> Confusion:
        """Of all trainings together."""
        tables = [run.confusion for run in self.candidate.verifications]
        return tuple(tuple(map(sum, zip(*rows, strict=True))) for rows in zip(*tables, strict=True))

    @property
    def images(self) -> int:
        """In the test set."""
        return sum(map(sum, self.candidate.verifications[0].confusion))

    @property
    def interval(self) -> Interval:
        """Of the mean by Student's t; of a single training that of the images, by Wilson's score."""
        right = sum(row[place] for place, row in enumerate(self.confusion))
        return self.summary.interval or proportion_interval(right, self.images)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What is known of a study at one moment."""

    title: str
    study: Study
    made: datetime
    """When the study was read, with a time zone."""
    made_by: str
    """The program and its version."""
    searching: int
    """Runs that were at work on the study at that moment."""
    confirmations: int
    """Fresh trainings that confirm a hit."""
    settings: Mapping[str, Any]
    """What is fixed for the study, as it is stored."""
    changed: Sequence[str] = ()
    """Settings that a new study would not have, as `name: the study has ..., asked for ...`."""
    conditions: Mapping[str, Any]
    """Versions, device and data of the last run."""
    commands: Sequence[str]
    """That repeat it, in order."""
    verifying: str
    """The command that verifies the best."""

    @property
    def candidates(self) -> Sequence[Candidate]:
        """All of the study's, by number."""
        return self.study.candidates

    @property
    def winner(self) -> int | None:
        """Number of the smallest winner."""
        return self.study.winner

    @cached_property
    def holdings(self) -> list[Holding]:
        """What there is for each budget."""
        return holdings(self.study.budgets, self.candidates, self.study.trail)

    @property
    def is_met(self) -> bool:
        """Whether every budget has a winner."""
        return not unmet(self.study.budgets, self.study.trail)

    @cached_property
    def counts(self) -> Counter[State]:
        """Candidates by where they stand."""
        return Counter(candidate.state for candidate in self.candidates)

    @cached_property
    def ranking(self) -> list[Candidate]:
        """The candidates with an accuracy, the smallest winner first."""
        return ranking(self.candidates, self.winner)

    @property
    def best(self) -> Candidate | None:
        """The smallest winner, or else the best so far; None where nothing has an accuracy yet."""
        return self.ranking[0] if self.ranking else None

    @cached_property
    def verified(self) -> dict[int, Verified]:
        """By candidate."""
        return {candidate.number: Verified(candidate) for candidate in self.candidates if candidate.verifications}

    @property
    def result(self) -> Verified | None:
        """The best's, if it was verified."""
        return None if self.best is None else self.verified.get(self.best.number)

    @property
    def test_readings(self) -> dict[int, int]:
        """How often the study has read the test set, by the candidate it was for."""
        return {candidate.number: len(candidate.readings) for candidate in self.candidates if candidate.readings}

    @cached_property
    def chart(self) -> ThinChart | None:
        """Accuracy against parameters; None where nothing has an accuracy yet."""
        return ThinChart((self.study,), Cost.PARAMETERS) if self.ranking else None

    @cached_property
    def front(self) -> list[Candidate]:
        """The candidates that no other beats in one of parameters and accuracy without losing in the other."""
        if self.chart is None:
            return []
        by_name = {f"#{candidate.number}": candidate for candidate in self.candidates}
        return [by_name[point.name] for point in self.chart.fronts[self.study.name]]

    @cached_property
    def span(self) -> tuple[datetime, datetime] | None:
        """From the first proposal to the last candidate that was told, pauses included; None before there is one."""
        begun = [candidate.begun for candidate in self.candidates if candidate.begun is not None]
        ended = [candidate.ended for candidate in self.candidates if candidate.ended is not None]
        return (min(begun), max(ended)) if begun and ended else None

    @cached_property
    def training_seconds(self) -> float:
        """Of all trainings: the search's, repeats, confirmations and verifications."""
        return sum(
            candidate.seconds
            + sum(run.seconds or 0.0 for run in candidate.repeats)
            + sum(run.seconds for run in candidate.confirmations)
            + sum(run.seconds for run in candidate.readings)
            for candidate in self.candidates
        )

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values; accuracies are fractions."""
        return {
            "title": self.title,
            "study": self.study.name,
            "made": self.made.isoformat(timespec="seconds"),
            "made_by": self.made_by,
            "runs_at_work": self.searching,
            "settings": dict(self.settings),
            "settings_changed_since": list(self.changed),
            "conditions": dict(self.conditions),
            "commands": list(self.commands),
            "target_met": self.is_met,
            "budgets": budget_rows(self.holdings),
            "winner": None if self.winner is None else candidate_row(self.candidates[self.winner]),
            "trail": trail_rows(self.candidates, self.study.trail),
            "best": None if self.best is None else self.best.number,
            "test_set_read": {str(number): count for number, count in self.test_readings.items()},
            "verified": {str(number): _verified_row(verified) for number, verified in self.verified.items()},
            "front": [candidate.number for candidate in self.front],
            "importance": dict(self.study.importance),
            "candidates": [candidate_row(candidate) for candidate in self.candidates],
        }


def _verified_row(verified: Verified) -> dict[str, Any]:
    summary = verified.summary
    return {
        "mean": summary.mean,
        "standard_deviation": summary.deviation,
        "worst": summary.worst,
        "interval_95": list(verified.interval),
        "interval_of": "the images" if summary.interval is None else "the mean",
    }
