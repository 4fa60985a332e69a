"""What the views have in common: the candidates that a search proposed, how far they went and what is told of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dashboards.pareto.points import Study
from dashboards.pareto.style import BLUE, ORANGE, PURPLE, SKY, Style
from dashboards.text import counted, number, percent
from space.candidate import Candidate

_SHORTER = (Style("circle-open", SKY, 7), Style("diamond-open", ORANGE, 8), Style("square-open", PURPLE, 7))
"""Of trainings that are not the longest, beginning with the shortest."""
_LONGEST = Style("circle", BLUE, 8)


def searched(study: Study) -> list[Candidate]:
    """Its candidates without what pruning made of some of them afterwards."""
    return [candidate for candidate in study.candidates if candidate.pruning is None]


def lengths(study: Study) -> list[int]:
    """Epochs of its rungs and of all trainings there are, in order."""
    return sorted({*study.rungs, *(epochs for candidate in searched(study) for epochs in candidate.rungs)})


def training_styles(study: Study) -> dict[int, Style]:
    """Of trainings by their epochs, as in the Pareto picture; the longest is the one that counts."""
    *shorter, longest = lengths(study)
    looks = {epochs: _SHORTER[min(place, len(_SHORTER) - 1)] for place, epochs in enumerate(shorter)}
    return looks | {longest: _LONGEST}


def farthest_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those with an accuracy, by the length of their longest training, then by accuracy."""
    return sorted(
        (candidate for candidate in candidates if candidate.rungs),
        key=lambda candidate: (-candidate.epochs, -(candidate.accuracy or 0.0), candidate.number),
    )


def facts(candidate: Candidate, *more: str) -> str:
    """What is told of a candidate wherever one is pointed at, and `more`, in lines."""
    accuracies = [
        f"{percent(accuracy)} after {counted(epochs, 'epoch')}" for epochs, accuracy in candidate.rungs.items()
    ]
    size = f"{number(candidate.parameters)} parameters, {candidate.state}"
    return "\n".join([f"#{candidate.number}", size, *accuracies, *more])


def pruned_networks_note(study: Study) -> list[str]:
    """That pruned networks are left out, where there are any."""
    count = len(study.candidates) - len(searched(study))
    return [f"Left out: {number(count)} that pruning made of other candidates."] if count else []


def below_note(errors: Sequence[float], lowest: float) -> list[str]:
    """How many results of all are less accurate than the picture reaches, if any are; `lowest` is an error."""
    beyond = [error for error in errors if error > lowest]
    if not beyond:
        return []
    share = f"{number(len(beyond))} of {number(len(errors))}"
    return [f"Below the picture: {share} results, the lowest {percent(1 - max(beyond))}."]
