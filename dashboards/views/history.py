"""Best accuracy so far, by time and by epochs trained: what a search gets for what it spends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.pareto.points import Study
from dashboards.text import counted, duration, number, percent
from dashboards.views import scales, thinning
from dashboards.views.searched import (
    below_note,
    facts,
    farthest_first,
    lengths,
    pruned_networks_note,
    searched,
    training_styles,
)
from dashboards.views.view import Curve, Scale, View
from space.candidate import Candidate

_ROOM = 1.02
"""Length of the lower axis, as a multiple of what is on it, so that nothing lies on the edge."""
_TITLES = {"history": "best accuracy by time", "epochs": "best accuracy by epochs trained"}
_NOTHING = "Nothing to draw yet: no candidate with an accuracy has ended."


@dataclass(frozen=True)
class _Ended:
    """A candidate with an accuracy, and how far the search was when it ended."""

    at: float
    """Seconds or epochs."""
    told: str
    """The same for people."""
    candidate: Candidate

    @property
    def error(self) -> float:
        """After its longest training."""
        return 1 - (self.candidate.accuracy or 0.0)


def by_time(study: Study) -> View:
    """The best accuracy so far by seconds since the first candidate began, pauses between runs included."""
    begun = (candidate.begun for candidate in searched(study))
    first = min((moment for moment in begun if moment is not None), default=None)
    ended = []
    for when, candidate in _in_order(study):
        seconds = (when - (first or when)).total_seconds()
        ended.append(_Ended(seconds, f"{duration(seconds)} after the first candidate began", candidate))
    x = scales.times("the first candidate began", _ROOM * max([1.0, *(one.at for one in ended)]))
    return _view(study, "history", x, ended, ["Pauses between runs count."])


def by_epochs(study: Study) -> View:
    """The best accuracy so far by epochs of all trainings of the candidates that ended until then."""
    ended, spent = [], 0
    for _, candidate in _in_order(study):
        spent += sum(candidate.rungs)
        ended.append(_Ended(spent, f"after {number(spent)} epochs", candidate))
    x = scales.counts("epochs trained, all candidates together", _ROOM * max(1, spent))
    return _view(study, "epochs", x, ended, _spent(study, [one.candidate for one in ended]))


def _in_order(study: Study) -> list[tuple[datetime, Candidate]]:
    """When each candidate with an accuracy ended, and which."""
    found = [(one.ended, one) for one in searched(study) if one.ended is not None and one.rungs]
    return sorted(found, key=lambda pair: (pair[0], pair[1].number))


def _view(study: Study, name: str, x: Scale, ended: Sequence[_Ended], notes: Sequence[str]) -> View:
    """`notes` are those of this view alone."""
    goal = 1 - study.target
    title = f"{study.name}: {_TITLES[name]}"
    if not ended:
        y = scales.accuracies([goal])
        return View(name=name, title=title, x=x, y=y, notes=(_NOTHING, *pruned_networks_note(study)))
    errors = [1 - accuracy for one in ended for accuracy in one.candidate.rungs.values()]
    y = scales.accuracies(errors, [goal])
    series = (*_points(study, ended, y), *_steps(study, ended, x, y), target_line(study, x))
    drawn = sum(len(curve.x) for curve in series if curve.symbol)
    told = (
        _best(study, ended),
        "Each candidate is a point, at the accuracy of its longest training; steps are the best so far of trainings "
        "of one length.",
        *notes,
        *below_note([one.error for one in ended], y.high),
        *thinning.note(drawn, len(_within(ended, y)), "points"),
        *pruned_networks_note(study),
    )
    return View(name=name, title=title, x=x, y=y, series=series, notes=told)


def _best(study: Study, ended: Sequence[_Ended]) -> str:
    best = farthest_first(one.candidate for one in ended)[0]
    told = next(one.told for one in ended if one.candidate.number == best.number)
    return (
        f"Best after {counted(best.epochs, 'epoch')}: {percent(best.accuracy)}, #{best.number}, {told}. "
        f"The target is {percent(study.target)}."
    )


def target_line(study: Study, x: Scale) -> Curve:
    """The target across a view whose lower axis is `x`."""
    error = max(1 - study.target, scales.PERFECT)
    name = f"target {percent(study.target)}"
    return Curve(name=name, x=(x.low, x.high), y=(error, error), colour="ink", width=1.2, dashed=True)


def _within(ended: Sequence[_Ended], y: Scale) -> list[_Ended]:
    """Those that are not below the picture."""
    return [one for one in ended if one.error <= y.high]


def _points(study: Study, ended: Sequence[_Ended], y: Scale) -> list[Curve]:
    """The candidates within the picture by the length of their longest training, thinned where there are many."""
    curves = []
    for epochs, look in training_styles(study).items():
        there = [one for one in _within(ended, y) if one.candidate.epochs == epochs]
        own = [there[place] for place in thinning.places(len(there), _records(there))]
        curve = Curve(
            name=counted(epochs, "epoch"),
            x=tuple(round(one.at, 3) for one in own),
            y=tuple(y.clip(one.error) for one in own),
            colour=look.colour,
            symbol=look.symbol,
            size=look.size,
            hovers=tuple(facts(one.candidate) for one in own),
        )
        curves += [curve] if own else []
    return curves


def _records(ended: Sequence[_Ended]) -> list[int]:
    """The places of those that were the best so far."""
    lowest = 2.0
    found = []
    for place, one in enumerate(ended):
        if one.error < lowest:
            lowest = one.error
            found.append(place)
    return found


def _steps(study: Study, ended: Sequence[_Ended], x: Scale, y: Scale) -> list[Curve]:
    """For each length of training the best so far, by all candidates that had one of it, to the right edge."""
    looks = training_styles(study)
    curves = []
    for epochs, look in looks.items():
        corners: list[tuple[float, float]] = []
        for one in ended:
            error = 1 - one.candidate.rungs.get(epochs, -1.0)
            if error <= y.high and (not corners or y.clip(error) < corners[-1][1]):
                corners += [(one.at, corners[-1][1])] if corners else []
                corners.append((one.at, y.clip(error)))
        if corners:
            corners.append((x.high, corners[-1][1]))
            curves.append(_step_curve(epochs, corners, look.colour, is_longest=epochs == max(looks)))
    return curves


def _step_curve(epochs: int, corners: Sequence[tuple[float, float]], colour: str, *, is_longest: bool) -> Curve:
    return Curve(
        name=counted(epochs, "epoch"),
        x=tuple(round(at, 3) for at, _ in corners),
        y=tuple(error for _, error in corners),
        colour=colour,
        width=2.5 if is_longest else 1.5,
    )


def _spent(study: Study, candidates: Sequence[Candidate]) -> list[str]:
    """On what the epochs went, and what as many whole trainings would have taken."""
    if not candidates:
        return []
    trainings = Counter(epochs for candidate in candidates for epochs in candidate.rungs)
    parts = [f"{number(count)} x {counted(epochs, 'epoch')}" for epochs, count in sorted(trainings.items())]
    total = sum(epochs * count for epochs, count in trainings.items())
    longest = lengths(study)[-1]
    return [
        f"{number(total)} epochs in all: {', '.join(parts)}. All {number(len(candidates))} candidates at "
        f"{counted(longest, 'epoch')} each would have taken {number(longest * len(candidates))}.",
        "Confirmations and verifications are not counted.",
    ]
