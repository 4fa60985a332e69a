"""A Pareto chart that draws so few of its points that a browser stays quick."""

from __future__ import annotations

from functools import cached_property

from dashboards.pareto.chart import Chart
from dashboards.pareto.points import Kind, Point
from dashboards.views import thinning

MOST = 1500
"""Points that are drawn, at most, besides those that stand out."""
_GRIDS = (400, 200, 120, 80, 50, 30, 20, 10)
"""Cells along each axis, the finest first: 400 are about two pixels wide."""

Series = tuple[str, Kind, int]


class ThinChart(Chart):
    """As Chart, but of points of one series that lie in one cell of a grid the most accurate alone is drawn.

    Fronts, axes and notes are those of all points. Points of the front, the best, and what was tested are all drawn.
    """

    @cached_property
    def shown(self) -> dict[Series, list[Point]]:
        """Those that are drawn."""
        everything = self._everything
        for cells in _GRIDS:
            found = {key: self._thinned(points, cells) for key, points in everything.items()}
            if _count(found) <= MOST:
                break
        return found

    @cached_property
    def _everything(self) -> dict[Series, list[Point]]:
        return Chart(self.studies, self.cost).shown

    def _thinned(self, points: list[Point], cells: int) -> list[Point]:
        if points[0].kind.is_test or _count(self._everything) <= MOST:
            return points
        best: dict[tuple[int, int], Point] = {}
        for point in points:
            cell = self._cell(point, cells)
            if cell not in best or point.accuracy > best[cell].accuracy:
                best[cell] = point
        drawn = {*best.values(), *self._prominent}
        return [point for point in points if point in drawn]

    @cached_property
    def _prominent(self) -> set[Point]:
        """Those that are always drawn."""
        best = [band.best for band in self.bands if band.best is not None]
        return {point for points in (*self.fronts.values(), best) for point in points}

    def _cell(self, point: Point, cells: int) -> tuple[int, int]:
        across, down = self.x.share(point.cost(self.cost)), self.y.share(self.y.clip(point.error))
        return int(across * cells), int(down * cells)

    def notes(self) -> list[str]:
        """As Chart's, and what is not drawn."""
        return [*super().notes(), *thinning.note(_count(self.shown), _count(self._everything), "results")]


def _count(found: dict[Series, list[Point]]) -> int:
    return sum(map(len, found.values()))
