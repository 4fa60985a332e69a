"""The Pareto picture in the characters of a terminal: the plainest ink of `chart.Chart`."""

from __future__ import annotations

from itertools import pairwise

from dashboards.pareto.chart import Chart
from dashboards.pareto.points import Cost, Kind, Point, Study
from dashboards.pareto.style import accuracy_tick, cost_tick
from dashboards.text import number, percent

_MARGIN = 9
"""Columns of the accuracies on the left."""
_NARROWEST = 20
_SYMBOLS = {
    Kind.RUNNING: ("?", "in training"),
    Kind.FAILED: ("x", "failed"),
    Kind.PRUNED: (".", "pruned early"),
    Kind.COMPLETE: ("o", "trained to the end"),
    Kind.SLIMMED: ("s", "weights or filters pruned"),
    Kind.PUBLISHED: ("P", "published, test (chosen on it)"),
    Kind.VERIFIED: ("V", "verified, test"),
}
"""In the order in which they are drawn: what comes later covers what comes before."""
_LETTERS = "abcdefghijklmnoqrstuvwxyz"
"""Of studies; without that of published networks."""
_SHORT = {
    Kind.RUNNING: "training",
    Kind.FAILED: "failed",
    Kind.PRUNED: "pruned",
    Kind.COMPLETE: "trained",
    Kind.SLIMMED: "slimmed",
    Kind.PUBLISHED: "published",
    Kind.VERIFIED: "verified",
}
_LOWEST, _HIGHEST = 4, 12
"""Rows of a small plot."""

Grid = list[list[str]]


def draw(chart: Chart, width: int = 80, height: int = 20) -> str:
    """The plot with its legend and the chart's notes, which are not wrapped."""
    return "\n".join([*plot(chart, width, height), "", *_legend(chart), "", *chart.notes()])


def plot(chart: Chart, width: int, height: int) -> list[str]:
    """Rows of at most `width` columns, or as few as it takes: `height` of them, and three for the lower axis."""
    columns = max(width - _MARGIN - 2, _NARROWEST)
    grid: Grid = [[" "] * columns for _ in range(height)]
    _lines(chart, grid)
    for name in chart.fronts:
        _stairs(chart, name, grid)
    for kind in _SYMBOLS:
        for point in _of(chart, kind):
            row, column = _cell(chart, grid, point.cost(chart.cost), point.error)
            grid[row][column] = _symbol(chart, point.study, kind)
    ticks = _accuracies(chart, grid)
    rows = [f"{ticks.get(row, ''):>{_MARGIN}} |{''.join(cells).rstrip()}" for row, cells in enumerate(grid)]
    return [*rows, *_below(chart, grid)]


def small_plot(study: Study, width: int, height: int) -> list[str]:
    """At most `height` rows in all with what the symbols mean, for a study with an accuracy; none if they are few."""
    rows = min(height - 3, _HIGHEST)
    if rows < _LOWEST:
        return []
    chart = Chart((study,), Cost.PARAMETERS)
    there = {kind for _, kind, _ in chart.shown}
    told = [f"{symbol} {_SHORT[kind]}" for kind, (symbol, _) in _SYMBOLS.items() if kind in there]
    legend = "  ".join([*told, "- target", ": budget"])
    return [*plot(chart, width, rows)[:-1], f"{' ' * (_MARGIN + 2)}{legend}"[:width]]


def _of(chart: Chart, kind: Kind) -> list[Point]:
    return [point for (_, one, _), points in chart.shown.items() if one == kind for point in points]


def _symbol(chart: Chart, study: str, kind: Kind) -> str:
    """That of its kind; where there are several studies each has a letter, a capital one for what is verified."""
    if len(chart.studies) == 1 or kind == Kind.PUBLISHED:
        return _SYMBOLS[kind][0]
    letter = _LETTERS[[one.name for one in chart.studies].index(study) % len(_LETTERS)]
    return letter.upper() if kind == Kind.VERIFIED else letter


def _cell(chart: Chart, grid: Grid, cost: float, error: float) -> tuple[int, int]:
    """Row and column."""
    down, across = chart.y.share(chart.y.clip(error)), chart.x.share(chart.x.clip(cost))
    return round(down * (len(grid) - 1)), round(across * (len(grid[0]) - 1))


def _lines(chart: Chart, grid: Grid) -> None:
    for study in chart.studies:
        row, _ = _cell(chart, grid, chart.x.low, 1 - study.target)
        grid[row] = ["-" if column % 2 else " " for column in range(len(grid[0]))]
    if chart.cost == Cost.PARAMETERS:
        for band in chart.bands:
            _, column = _cell(chart, grid, band.budget, chart.y.low)
            for cells in grid:
                cells[column] = ":"


def _stairs(chart: Chart, study: str, grid: Grid) -> None:
    corners = [_cell(chart, grid, cost, error) for cost, error in chart.stairs(study)]
    for (row, column), (to_row, to_column) in pairwise(corners):
        for y in range(min(row, to_row), max(row, to_row) + 1):
            grid[y][to_column] = "|"
        for x in range(column, to_column + 1):
            grid[to_row][x] = "_"


def _accuracies(chart: Chart, grid: Grid) -> dict[int, str]:
    return {_cell(chart, grid, chart.x.low, error)[0]: accuracy_tick(error) for error in chart.y.ticks()}


def _below(chart: Chart, grid: Grid) -> list[str]:
    """The lower axis, the costs below it where there is room for them, and what they are."""
    columns = len(grid[0])
    costs = [" "] * columns
    for cost in chart.x.ticks():
        text = cost_tick(cost)
        _, column = _cell(chart, grid, cost, chart.y.low)
        begin = min(max(0, column - len(text) // 2), columns - len(text))
        around = costs[max(0, begin - 1) : begin + len(text) + 1]
        if set(around) == {" "}:
            costs[begin : begin + len(text)] = text
    margin = " " * (_MARGIN + 2)
    title = f"{chart.cost.axis_title} (logarithmic), accuracy (scale of the error, logarithmic)"
    return [f"{' ' * _MARGIN} +{'-' * columns}", margin + "".join(costs).rstrip(), margin + title]


def _legend(chart: Chart) -> list[str]:
    lines = [f"  {symbol}  {told}" for symbol, told in _meanings(chart)]
    lines.append("  _  front of the validation")
    targets = ", ".join(sorted({percent(study.target) for study in chart.studies}))
    lines.append(f"  -  target {targets}")
    if chart.cost == Cost.PARAMETERS:
        lines.append(f"  :  budget {', '.join(number(band.budget) for band in chart.bands)}")
    return lines


def _meanings(chart: Chart) -> list[tuple[str, str]]:
    """Each symbol in the plot, and what it means."""
    there = [kind for kind in _SYMBOLS if _of(chart, kind)]
    if len(chart.studies) == 1:
        return [_SYMBOLS[kind] for kind in there]
    searched = [(_symbol(chart, study.name, Kind.COMPLETE), study.name) for study in chart.studies]
    verified = {_symbol(chart, point.study, Kind.VERIFIED) for point in _of(chart, Kind.VERIFIED)}
    tested = [(", ".join(sorted(verified)), _SYMBOLS[Kind.VERIFIED][1])] if verified else []
    return [*searched, *tested, *([_SYMBOLS[Kind.PUBLISHED]] if Kind.PUBLISHED in there else [])]
