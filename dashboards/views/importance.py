"""Which choices of the search space say most about how good a candidate is."""

from __future__ import annotations

from dashboards.pareto.points import Study
from dashboards.pareto.style import BLUE, GREY
from dashboards.text import number
from dashboards.views import scales
from dashboards.views.view import Bars, Scale, Tick, View

MOST = 15
"""Choices with a bar of their own."""
_HALF = 0.36
"""Half the height of a bar, where the next one begins 1 further."""


def importance(study: Study) -> View:
    """Shares by choice as horizontal bars, the largest on top and the small ones put together at the bottom."""
    ranked = sorted(study.importance.items(), key=lambda pair: (-pair[1], pair[0]))
    own, rest = ranked[:MOST], ranked[MOST:]
    rows = [*own, *([(_others(len(rest)), sum(share for _, share in rest))] if rest else [])]
    if rows:
        notes = [
            "How well each choice tells the best tenth of the trained candidates, and at least five, from all of them, "
            "by accuracy in the shortest training (PED-ANOVA; Watanabe et al. 2023). The shares add up to 100 %.",
            "It says nothing about which value is the better one, and little where few candidates are trained.",
        ]
    else:
        notes = ["Nothing to draw yet: importance takes ten trained candidates whose accuracies differ."]
    return View(
        name="importance",
        title=f"{study.name}: which choices matter",
        x=scales.shares("share of the importance", 1.05 * max((share for _, share in rows), default=1.0)),
        y=_names(rows),
        series=tuple(_bars(rows, len(own))),
        notes=tuple(notes),
    )


def _others(count: int) -> str:
    return f"{number(count)} other{'' if count == 1 else 's'}"


def _names(rows: list[tuple[str, float]]) -> Scale:
    ticks = tuple(Tick(place, name) for place, (name, _) in enumerate(rows))
    return Scale(title="", low=-0.6, high=max(1, len(rows)) - 0.4, ticks=ticks, is_reversed=True)


def _bars(rows: list[tuple[str, float]], own: int) -> list[Bars]:
    found = []
    for colour, hatch, start, end in ((BLUE, "", 0, own), (GREY, "/", own, len(rows))):
        places = range(start, end)
        if places:
            bars = Bars(
                name="",
                left=(0.0,) * len(places),
                right=tuple(round(rows[place][1], 4) for place in places),
                low=tuple(place - _HALF for place in places),
                high=tuple(place + _HALF for place in places),
                colour=colour,
                hatch=hatch,
                hovers=tuple(f"{rows[place][0]}\n{100 * rows[place][1]:.1f} %" for place in places),
            )
            found.append(bars)
    return found
