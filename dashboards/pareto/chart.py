"""The Pareto front of cost against accuracy as numbers: what is drawn, where the axes end, and what is left out.

The accuracy axis is that of the error, 1 - accuracy, on a logarithmic scale that runs downwards and is labelled with
accuracies. Near 100 % equal steps of it are equal ratios of wrong images, so that 99.4 and 99.5 % are as far apart as
98.8 and 99 %; a linear axis would give nearly all its length to networks that nobody wants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from dashboards.ink import axes
from dashboards.ink.axes import Axis
from dashboards.pareto.points import Cost, Kind, Point, Study, front, points_of, published_point
from dashboards.text import number, percent
from space.published import PUBLISHED, Published

_RIGHT_OF_ALL = 2.0
"""A published network that costs more than this many times the costliest candidate is beyond the axis."""
_HIGHEST_ERROR = 0.999
"""Where the accuracy axis ends at the latest, so that its lowest accuracy is above 0."""
_PERFECT = 1e-6
"""An error below this is none: data sets have fewer images than one in it."""


@dataclass(frozen=True, kw_only=True)
class Band:
    """The networks of one budget that are beyond the next smaller one."""

    low: int
    """Parameters: the next smaller budget, or 0."""
    budget: int
    best: Point | None
    """The most accurate network within the whole budget; None where there is none."""


@dataclass(frozen=True)
class Chart:
    """Studies of one data set in one picture."""

    studies: tuple[Study, ...]
    cost: Cost

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Every accuracy, those beyond the axes included."""
        found = [point for study in self.studies for point in points_of(study)]
        return (*found, *(published_point(network) for network in self._published))

    @property
    def _published(self) -> Sequence[Published]:
        """All are for MNIST; on other data their accuracies mean nothing."""
        return PUBLISHED if self.studies[0].dataset == "mnist" else ()

    @cached_property
    def fronts(self) -> dict[str, list[Point]]:
        """The front of each study, by its name."""
        return {
            study.name: front([p for p in self.points if p.study == study.name and p.kind.is_searched], self.cost)
            for study in self.studies
        }

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """One for each budget of the studies, in their order, whatever the cost on the axis is."""
        budgets = sorted({budget for study in self.studies for budget in study.budgets})
        return tuple(
            Band(low=low, budget=budget, best=self._best(budget))
            for low, budget in zip([0, *budgets], budgets, strict=False)
        )

    def _best(self, budget: int) -> Point | None:
        within = [point for point in self.points if point.kind.is_searched and point.parameters <= budget]
        return front(within, Cost.PARAMETERS)[-1] if within else None

    @cached_property
    def x(self) -> Axis:
        """Of the cost: all candidates but outliers in accuracy, the budgets, and the published networks near both."""
        candidates = [point for point in self.points if point.kind != Kind.PUBLISHED]
        worst = self._worst(candidates)
        own = [float(point.cost(self.cost)) for point in candidates if point.kind.is_test or point.error <= worst]
        if self.cost == Cost.PARAMETERS:
            own += [float(band.budget) for band in self.bands]
        published = [point.cost(self.cost) for point in self.points if point.kind == Kind.PUBLISHED]
        near = [cost for cost in published if cost <= _RIGHT_OF_ALL * max(own)]
        return axes.around([*own, *near], margin=0.03)

    @cached_property
    def y(self) -> Axis:
        """Of the error: up to the outliers among the candidates, but all of what was tested and every target.

        An accuracy of 100 % has no logarithm of an error: it is drawn on the axis's end, at half the smallest error.
        """
        shown = [point for point in self.points if self._is_near(point)]
        worst = self._worst(shown)
        errors = [point.error for point in shown if point.kind.is_test or point.error <= worst]
        errors += [1 - study.target for study in self.studies] + [worst]
        errors += [max(1 - p.interval[1], min(errors) / 2) for p in shown if p.interval is not None]
        positive = [error for error in errors if error > _PERFECT] or [0.01]
        low = min(positive) / 2 if min(errors) <= _PERFECT else min(positive)
        axis = axes.around([low, max(positive)])
        return Axis(axis.low, min(axis.high, _HIGHEST_ERROR))

    @staticmethod
    def _worst(points: Iterable[Point]) -> float:
        """The largest error in validation that is no outlier."""
        return axes.highest_within_fence([max(point.error, _PERFECT) for point in points if not point.kind.is_test])

    def _is_near(self, point: Point) -> bool:
        return point.cost(self.cost) in self.x

    def is_shown(self, point: Point) -> bool:
        """Whether it lies within both axes, or at 100 % and so on the upper edge."""
        return self._is_near(point) and point.error <= self.y.high

    @cached_property
    def shown(self) -> dict[tuple[str, Kind, int], list[Point]]:
        """Points within the axes by study, kind and, if pruned, epochs (else 0): a series each."""
        found: dict[tuple[str, Kind, int], list[Point]] = {}
        for point in sorted(self.points, key=lambda point: (list(Kind).index(point.kind), point.epochs)):
            if self.is_shown(point):
                rung = point.epochs if point.kind == Kind.PRUNED else 0
                found.setdefault((point.study, point.kind, rung), []).append(point)
        return found

    @property
    def best_shown(self) -> list[Point]:
        """The best within each budget, each once, as far as they are within the axes."""
        best = dict.fromkeys(band.best for band in self.bands if band.best is not None)
        return [point for point in best if self.is_shown(point)]

    def named(self, kinds: Collection[Kind]) -> list[Point]:
        """Those whose names are worth room in the picture: the best, and some kinds; each candidate once.

        The first should find room first: our own, and of the published networks those with the longest names.
        """
        chosen = [point for (_, kind, _), points in self.shown.items() if kind in kinds for point in points]
        chosen.sort(key=lambda point: (point.kind == Kind.PUBLISHED, -len(point.name)))
        found = {(point.study, point.name): point for point in [*self.best_shown, *chosen]}
        return list(found.values())

    def stairs(self, study: str) -> list[tuple[float, float]]:
        """Corners of a study's front as (cost, error) within the axes, from the left to the right edge of the picture.

        At each cost it has the accuracy of the best network that costs at most as much; there are no corners if all of
        it is below the picture.
        """
        corners: list[tuple[float, float]] = []
        for point in self.fronts[study]:
            cost, error = self.x.clip(float(point.cost(self.cost))), point.error
            if error < self.y.high:
                corners.append((cost, corners[-1][1] if corners else self.y.high))
                corners.append((cost, self.y.clip(error)))
        return [*corners, (self.x.high, corners[-1][1])] if corners else []

    def notes(self) -> list[str]:
        """What a reader has to know besides the picture: the best, what is beyond the axes, what has no accuracy."""
        return [*self._best_lines(), *self._beyond(), *self._without_accuracy(), *self._reading()]

    def _best_lines(self) -> list[str]:
        return [
            f"Best within {number(band.budget)} parameters: {percent(best.accuracy)} in validation, {best.name} of "
            f"{best.study}, {number(best.parameters)} parameters."
            for band in self.bands
            if (best := band.best) is not None
        ]

    def _beyond(self) -> list[str]:
        lines = []
        low = [p for p in self.points if not self.is_shown(p) and (p.kind != Kind.PUBLISHED or self._is_near(p))]
        if low:
            worst = min(point.accuracy for point in low)
            share = f"{number(len(low))} of {number(len(self.points))}"
            lines.append(f"Below the picture: {share} results, the lowest {percent(worst)}.")
        published = [point for point in self.points if point.kind == Kind.PUBLISHED]
        far = [f"{point.name} ({number(point.cost(self.cost))})" for point in published if not self._is_near(point)]
        if far:
            lines.append(f"Beside the picture: {', '.join(far)}.")
        perfect = sum(point.error <= _PERFECT for point in self.points)
        if perfect:
            lines.append(f"On the upper edge: {perfect} at 100 %.")
        return lines

    def _without_accuracy(self) -> list[str]:
        counts = Counter(
            candidate.state for study in self.studies for candidate in study.candidates if candidate.accuracy is None
        )
        told = [f"{number(count)} {state}" for state, count in sorted(counts.items())]
        return [f"Not in the picture, because they have no accuracy: {', '.join(told)}."] if told else []

    def _reading(self) -> list[str]:
        kinds = {point.kind for point in self.points}
        lines = ["Validation accuracies have chosen candidates, so that the best of them are a little too good."]
        if Kind.VERIFIED in kinds:
            lines.append("Verified: fresh trainings, tested once; bars are 95 % intervals.")
        if Kind.PUBLISHED in kinds:
            lines.append("Published accuracies were chosen on the test set.")
        return lines

    def to_json(self) -> dict[str, Any]:
        """All of the numbers as plain values; accuracies are fractions."""
        return {
            "studies": [
                {"study": s.name, "dataset": s.dataset, "budgets": list(s.budgets), "target": s.target}
                for s in self.studies
            ],
            "cost": str(self.cost),
            "axes": {"cost": list(self.x), "accuracy": [1 - self.y.high, 1 - self.y.low]},
            "points": [self._row(point) for point in self.points],
            "fronts": {study: [point.name for point in points] for study, points in self.fronts.items()},
            "best": [asdict(band) for band in self.bands],
            "notes": self.notes(),
        }

    def _row(self, point: Point) -> dict[str, Any]:
        return asdict(point) | {
            "measured_on": "test" if point.kind.is_test else "validation",
            "shown": self.is_shown(point),
        }
