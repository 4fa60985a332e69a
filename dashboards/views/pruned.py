"""What became of the candidates, and how that changed over the study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil

from dashboards.pareto.points import Study
from dashboards.text import number, percent
from dashboards.views import scales
from dashboards.views.fates import End, Fate, fate, look
from dashboards.views.searched import lengths, pruned_networks_note, searched
from dashboards.views.view import Bars, View

_MOST_BLOCKS = 30
_SIZES = (1, 5, 10, 20, 25, 50, 100, 200, 250, 500)
"""Candidates in a block, the fewest that will do: each its own, or enough for a share; thousands are beyond."""
_GAP = 0.03
"""Beside a bar, as a share of a block."""


def pruned(study: Study) -> View:
    """Shares of each fate in blocks of consecutive candidates, those over budget at the bottom, hits on top."""
    candidates = searched(study)
    fates = [fate(candidate, study.target) for candidate in candidates]
    size = _block_size(len(candidates))
    if not candidates:
        notes = ["Nothing to draw yet: there is no candidate."]
    else:
        blocks = f"Each bar is {number(size)} candidates, in the order of their proposals."
        notes = [_told(fates), *([blocks] if size > 1 else []), *_reading(study, fates)]
    return View(
        name="pruned",
        title=f"{study.name}: what became of the candidates",
        x=scales.counts("candidates, in the order of their proposals", max(1, len(candidates))),
        y=scales.shares("share of the candidates"),
        series=tuple(_stacks(study, fates, size)),
        notes=(*notes, *pruned_networks_note(study)),
    )


def _block_size(count: int) -> int:
    wanted = count / _MOST_BLOCKS
    return next((size for size in _SIZES if size >= wanted), 1000 * ceil(wanted / 1000))


def _stacks(study: Study, fates: Sequence[Fate], size: int) -> list[Bars]:
    """A series for each fate that there is, with a bar in each block in which there is some of it."""
    blocks = [fates[start : start + size] for start in range(0, len(fates), size)]
    tops = [0.0] * len(blocks)
    series = []
    for one, total in sorted(Counter(fates).items()):
        counts = [block.count(one) for block in blocks]
        there = [place for place, count in enumerate(counts) if count]
        bottoms = list(tops)
        tops = [top + count / len(block) for top, count, block in zip(tops, counts, blocks, strict=True)]
        surface = look(one, lengths(study))
        series.append(
            Bars(
                name=f"{one} ({number(total)})",
                left=tuple(size * (place + _GAP) for place in there),
                right=tuple(size * (place - _GAP) + len(blocks[place]) for place in there),
                low=tuple(round(bottoms[place], 4) for place in there),
                high=tuple(round(tops[place], 4) for place in there),
                colour=surface.colour,
                hatch=surface.hatch,
                hovers=tuple(_hover(one, counts[place], size * place, len(blocks[place])) for place in there),
            )
        )
    return series


def _hover(one: Fate, count: int, start: int, size: int) -> str:
    if size == 1:
        return f"candidate {number(start + 1)}\n{one}"
    return f"candidates {number(start + 1)} to {number(start + size)}\n{one}: {number(count)} of {number(size)}"


def _told(fates: Sequence[Fate]) -> str:
    parts = [f"{number(count)} {one}" for one, count in sorted(Counter(fates).items())]
    return f"Of {number(len(fates))} candidate{'' if len(fates) == 1 else 's'}: {', '.join(parts)}."


def _reading(study: Study, fates: Sequence[Fate]) -> list[str]:
    ends = {one.end for one in fates}
    lines = []
    if End.OVER_BUDGET in ends:
        lines.append("Candidates over budget are counted and never trained.")
    if End.AT_TARGET in ends:
        lines.append(f"Reached the target: at least {percent(study.target)} in validation, confirmed or not.")
    return lines
