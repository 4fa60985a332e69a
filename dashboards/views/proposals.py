"""Parameters proposed over a study: whether the sampler learns the budget."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from math import ceil, floor
from typing import NamedTuple

from dashboards.ink import axes
from dashboards.pareto.points import Study
from dashboards.pareto.style import BLUE
from dashboards.text import number
from dashboards.views import scales, thinning
from dashboards.views.fates import End, Fate, look
from dashboards.views.searched import facts, pruned_networks_note, searched
from dashboards.views.view import Band, Curve, Scale, View
from space.candidate import Candidate

_FEWEST = 20
"""Candidates in a window at least, and so for a median at all."""
_FEWEST_OF_A_FIFTH = 5
_WINDOWS = 20
"""A window is one in this many of all candidates."""
_MOST_POINTS = 1000
"""Within and over the budget together, so that the picture keeps their ratio."""
_SHOWN = 0.98
"""Share of the proposals that the picture shows at each end at least."""
_MOST_STOPS = 150
"""Places at which a running median is taken, at most."""


def proposals(study: Study) -> View:
    """Each candidate's parameters by its number, the running median and 10 to 90 %, and the budgets."""
    candidates = [candidate for candidate in searched(study) if candidate.parameters > 0]
    title = f"{study.name}: parameters proposed"
    y = _sizes(study, candidates)
    x = scales.counts("candidate", max((candidate.number for candidate in candidates), default=1) + 1.0)
    if not candidates:
        notes = ("Nothing to draw yet: there is no candidate.", *pruned_networks_note(study))
        return View(name="proposals", title=title, x=x, y=y, notes=notes)
    shown = [candidate for candidate in candidates if y.low <= candidate.parameters <= y.high]
    kept = {0, len(shown) - 1, *_extremes(shown)}
    drawn = [shown[place] for place in thinning.places(len(shown), kept, _MOST_POINTS)]
    bands, medians = _running(_windows(candidates), y)
    return View(
        name="proposals",
        title=title,
        x=x,
        y=y,
        series=(*bands, *_points(study, drawn), *medians, *_budget_lines(study, x)),
        notes=(
            *_shares(study, candidates),
            *_beyond(candidates, y),
            *thinning.note(len(drawn), len(shown), "points"),
            *pruned_networks_note(study),
        ),
    )


def _sizes(study: Study, candidates: Sequence[Candidate]) -> Scale:
    """Of parameters: the budgets and all but outliers, who are few also where most proposals are alike."""
    sizes = sorted(float(candidate.parameters) for candidate in candidates) or [float(study.budget)]
    last = len(sizes) - 1
    most = max(axes.highest_within_fence(sizes), sizes[ceil(_SHOWN * last)])
    least = min(1 / axes.highest_within_fence([1 / size for size in sizes]), sizes[floor((1 - _SHOWN) * last)])
    shown = [size for size in sizes if least <= size <= most]
    return scales.amounts("parameters (logarithmic)", shown, [*shown, *map(float, study.budgets)])


def _extremes(candidates: Sequence[Candidate]) -> list[int]:
    """The places of the smallest and the largest."""
    sizes = [candidate.parameters for candidate in candidates]
    return [sizes.index(min(sizes)), sizes.index(max(sizes))]


def _points(study: Study, candidates: Sequence[Candidate]) -> list[Curve]:
    """Those within the budget, and those over it."""
    over = look(Fate(End.OVER_BUDGET), [])
    curves = []
    for name, colour, symbol, is_over in (
        ("within the budget", BLUE, "circle-open", False),
        ("over the budget", over.colour, over.symbol, True),
    ):
        own = [candidate for candidate in candidates if (candidate.parameters > study.budget) == is_over]
        curve = Curve(
            name=name,
            x=tuple(float(candidate.number) for candidate in own),
            y=tuple(float(candidate.parameters) for candidate in own),
            colour=colour,
            symbol=symbol,
            size=6,
            hovers=tuple(map(facts, own)),
        )
        curves += [curve] if own else []
    return curves


def _budget_lines(study: Study, x: Scale) -> list[Curve]:
    return [
        Curve(
            name=f"budget {number(budget)}",
            x=(x.low, x.high),
            y=(float(budget),) * 2,
            colour="ink",
            width=1.2,
            dashed=True,
        )
        for budget in study.budgets
    ]


class _Window(NamedTuple):
    """Consecutive candidates."""

    middle: float
    """Between the numbers of the first and the last."""
    low: float
    """One in ten proposes fewer parameters than this."""
    median: float
    high: float


def _windows(candidates: Sequence[Candidate]) -> list[_Window]:
    """Evenly over the study, overlapping; none where there are too few candidates."""
    size = max(_FEWEST, len(candidates) // _WINDOWS)
    last = len(candidates) - size
    if last < 0:
        return []
    stops = min(last, _MOST_STOPS)
    starts = sorted({round(last * stop / max(stops, 1)) for stop in range(stops + 1)})
    return [_window(candidates[start : start + size]) for start in starts]


def _window(candidates: Sequence[Candidate]) -> _Window:
    sizes = [candidate.parameters for candidate in candidates]
    tenths = statistics.quantiles(sizes, n=10, method="inclusive")
    middle = (candidates[0].number + candidates[-1].number) / 2
    return _Window(middle, tenths[0], statistics.median(sizes), tenths[-1])


def _running(windows: Sequence[_Window], y: Scale) -> tuple[list[Band], list[Curve]]:
    """10 to 90 % and the median of each window, within the picture."""
    if not windows:
        return [], []
    x = tuple(window.middle for window in windows)
    low = tuple(y.clip(window.low) for window in windows)
    high = tuple(y.clip(window.high) for window in windows)
    median = tuple(y.clip(window.median) for window in windows)
    return (
        [Band(name="10 to 90 % of a window", x=x, low=low, high=high)],
        [Curve(name="running median", x=x, y=median, colour="ink", width=2.5)],
    )


def _shares(study: Study, candidates: Sequence[Candidate]) -> list[str]:
    """How many are within the budget: of all, and of the first and the last fifth, where a fifth is enough to tell."""
    within = [candidate.parameters <= study.budget for candidate in candidates]
    lines = [f"Within the budget of {number(study.budget)}: {_share(within)} proposals."]
    fifth = len(within) // 5
    if fifth >= _FEWEST_OF_A_FIFTH:
        lines[0] += f" Of the first fifth {_share(within[:fifth])}, of the last {_share(within[-fifth:])}."
    size = max(_FEWEST, len(candidates) // _WINDOWS)
    return [*lines, *([f"A window is {number(size)} consecutive candidates."] if len(within) >= size else [])]


def _share(within: Sequence[bool]) -> str:
    return f"{number(sum(within))} of {number(len(within))} ({100 * sum(within) / len(within):.0f} %)"


def _beyond(candidates: Sequence[Candidate], y: Scale) -> list[str]:
    sizes = [candidate.parameters for candidate in candidates]
    above, below = [size for size in sizes if size > y.high], [size for size in sizes if size < y.low]
    lines = []
    if above:
        lines.append(f"Above the picture: {number(len(above))} of them, the largest {number(max(above))} parameters.")
    if below:
        lines.append(f"Below the picture: {number(len(below))} of them, the smallest {number(min(below))} parameters.")
    return lines
