"""Choices made to fit a budget: widths shrunk or widened together, then one by one, until no step up fits.

A result is maximal: no network of the same shape that fits has as many filters everywhere and more of them somewhere.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from space.fitting import check_budget, smallest
from space.ranges import Choice, Choices, Value
from space.search_space import FILL, SearchSpace
from space.widths import Filters, Widths

_UNIT = 1024
"""Factors are tried in parts of it. Two ratios of widths up to 32 differ by at least 1 / (31 * 32), so that finer parts
would give no other widths."""


def settle(space: SearchSpace, choices: Choices, budget: int) -> dict[str, Value]:
    """The choices to train in the place of those asked: within the budget, and as full as their FILL says.

    A growth is written as what it comes to within the limits of a convolution's filters, so that equal networks are
    equal choices to a sampler. What a network does not use is left as it was asked: nothing was learnt of it, and one
    value for all of them would have a sampler believe that it belongs to what was learnt.

    BudgetError where nothing of the space fits.
    """
    widths = Widths(space, choices)
    filters = widths.asked
    full = budget * int(choices[FILL]) // 100
    if widths.parameters(filters) > budget:
        widths = _fitting(space, widths, budget)
        filters = _most(widths, widths.asked, widths.asked, full if full >= _fewest(widths) else budget)
    if widths.parameters(filters) < full:
        filters = _most(widths, filters, widths.highest, full)
    return widths.choices(filters)


def fill(space: SearchSpace, choices: Choices, budget: int) -> dict[str, Value]:
    """`choices`, which fit, with widths as far up as `budget` and the ranges allow, and none narrower."""
    widths = Widths(space, choices)
    assert widths.parameters(widths.asked) <= budget
    return widths.choices(_most(widths, widths.asked, widths.highest, budget))


def shrink(space: SearchSpace, choices: Choices, budget: int) -> dict[str, Value]:
    """`choices` with widths as far down as `budget` demands, and none wider.

    Where even the narrowest network of this shape is too large, its other choices come nearer to those of the space's
    smallest network until it fits, each time the one that saves the most. BudgetError where nothing fits.
    """
    widths = _fitting(space, Widths(space, choices), budget)
    return widths.choices(_most(widths, widths.asked, widths.asked, budget))


def _fitting(space: SearchSpace, widths: Widths, budget: int) -> Widths:
    """The shape that `shrink` comes to, with the filters asked."""
    for found in _ever_smaller(space, widths):
        if _fewest(found) <= budget:
            return found
    check_budget(space, budget)
    raise AssertionError("the smallest network fits every budget that passes the check")


def _ever_smaller(space: SearchSpace, widths: Widths) -> Iterator[Widths]:
    """The shape asked, then ones with ever fewer parameters where they are narrowest, and the smallest of all."""
    yield widths
    choices, least = widths.choices(widths.asked), smallest(space)
    steps = [(widths, choices)]
    while steps:
        before, choices = min(steps, key=lambda step: _fewest(step[0]))
        if before is not widths:
            yield before
        nearer = [choices | step for step in _steps(space, choices, least)]
        steps = [(found, one) for one in nearer if _fewest(found := Widths(space, one)) < _fewest(before)]
    yield Widths(space, least | {FILL: choices[FILL]})


def _fewest(widths: Widths) -> int:
    """Parameters of the narrowest network of its shape."""
    return widths.parameters(widths.lowest)


def _steps(space: SearchSpace, choices: Choices, least: Choices) -> Iterator[dict[str, Value]]:
    """One choice that is no width nearer to the smallest network's, for each that is not there yet."""
    for dimension in space.dimensions:
        now, aim = choices[dimension.name], least[dimension.name]
        if now == aim or dimension.name == FILL:
            continue
        if isinstance(dimension, Choice):
            yield {dimension.name: aim}
        elif not dimension.filters:
            yield {dimension.name: int(now) + (1 if int(aim) > int(now) else -1)}


def _most(widths: Widths, asked: Filters, limit: Filters, budget: int) -> Filters:
    """`asked` by the largest common factor that fits, then one filter more wherever it still fits, layer by layer.

    None exceeds `limit`, and `asked` does not either; the lowest fit.
    """

    def times(factor: int) -> Filters:
        scaled = (filters * factor // _UNIT for filters in asked)
        return widths.within([*map(min, map(max, scaled, widths.lowest), limit)])

    largest = max((-(-most * _UNIT // filters) for most, filters in zip(limit, asked, strict=True)), default=_UNIT)
    factors = range(largest + 1)
    found = times(bisect_right(factors, budget, key=lambda factor: widths.parameters(times(factor))) - 1)
    steps = True
    while steps:
        steps = False
        for place in range(len(found)):
            wider = (*found[:place], found[place] + 1, *found[place + 1 :])
            if wider[place] <= limit[place] and widths.within(wider) == wider and widths.parameters(wider) <= budget:
                found, steps = wider, True
    return found
