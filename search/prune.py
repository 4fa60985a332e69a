"""Pruning of a candidate, round by round; what each round leaves is a candidate of the study too, and verified."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dashboards.text import number, percent
from search.batch import train_batch
from search.conditions import training_images
from search.errors import SearchError, SettingsError
from search.ledger import Ledger, RungResult
from search.settings import StudySettings
from search.site import Site
from search.verify import Tell, verify_all
from space.architecture import Architecture
from space.candidate import Candidate, PrunedFrom, PrunedWhat
from space.notation import read, write
from space.slimming import slim_to
from workers.dataset import DataSet
from workers.job import Failed, Fit, Fitted, Pruning, Stage

_FOLD = 0
"""Held out for validation, as in the search."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A pruning as the user asked for it."""

    parent: Candidate
    what: PrunedWhat
    keep: float
    """Share that is left after the last round."""
    rounds: int
    seeds: int
    """Trainings of each round's verification."""
    site: Site

    def origin(self, place: int) -> PrunedFrom:
        """Of what round `place` leaves: 1, 2, ..."""
        return PrunedFrom(parent=self.parent.number, what=self.what, keep=self.keep, rounds=self.rounds, round=place)


def prune(ledger: Ledger, request: Request, tell: Tell) -> bool:
    """Do the rounds that the study does not have yet, then verify all of them; False if the user has interrupted it.

    Weights: iterative magnitude pruning with rewinding to the initial weights (Frankle and Carbin 2019). Filters: those
    of the lowest scores are left out of the architecture, which is then trained from fresh weights (Liu et al.,
    "Rethinking the Value of Network Pruning", 2019: weights taken over are worth no more); BudgetError where too few
    would be left.
    """
    if request.parent.pruning is not None or not request.parent.line:
        raise SettingsError(
            f"a candidate must have an architecture and not be pruned already, but #{request.parent.number} is "
            + (str(request.parent.pruning) if request.parent.pruning else "without one")
        )
    data = training_images(ledger)
    make = _prune_weights if request.what == "weights" else _prune_filters
    if len(_made(ledger, request)) < request.rounds and not make(ledger, request, data, tell):
        return False
    made = _made(ledger, request)
    groups = [made] if request.what == "weights" else [[candidate] for candidate in made]
    return verify_all(ledger, groups, request.seeds, data, request.site, tell)


def rounds(ledger: Ledger, request: Request) -> list[Candidate]:
    """What there is of a pruning: its parent, then each round."""
    return [ledger.candidate(request.parent.number), *_made(ledger, request)]


def _made(ledger: Ledger, request: Request) -> list[Candidate]:
    """The rounds that the study has, in order."""
    by_origin = {candidate.pruning: candidate for candidate in ledger.candidates()}
    wanted = (request.origin(place) for place in range(1, request.rounds + 1))
    return [by_origin[origin] for origin in wanted if origin in by_origin]


def _prune_weights(ledger: Ledger, request: Request, data: DataSet, tell: Tell) -> bool:
    """One training of the dense network and of each round, validated as candidates are."""
    from workers.pruning import nonzero
    from workers.weights import unpack

    fit = replace(
        _fit(ledger, request.parent, request.parent.line), pruning=Pruning(keep=request.keep, rounds=request.rounds)
    )
    fitted = _trained(fit, data, request.site)
    if fitted is None:
        return False
    there = {candidate.pruning for candidate in _made(ledger, request)}
    architecture = read(request.parent.line)
    seconds = fitted.seconds / len(fitted.stages)
    for place, stage in enumerate(fitted.stages[1:], start=1):
        if request.origin(place) not in there:
            left = nonzero(architecture, unpack(stage.weights))
            _add(ledger, request.origin(place), architecture, left, stage, seconds, tell)
    return True


def _prune_filters(ledger: Ledger, request: Request, data: DataSet, tell: Tell) -> bool:
    """Train, score the filters, leave out the worst of them; then the same with what is left."""
    from workers.pruning import filter_scores
    from workers.weights import unpack

    made = _made(ledger, request)
    architecture = read(made[-1].line if made else request.parent.line)
    fitted = _trained(_fit(ledger, request.parent, write(architecture)), data, request.site)
    for place in range(len(made) + 1, request.rounds + 1):
        if fitted is None:
            return False
        most = int(request.parent.parameters * request.keep ** (place / request.rounds))
        scores = filter_scores(architecture, unpack(fitted.stages[0].weights))
        architecture, _ = slim_to(architecture, scores, most)
        fitted = _trained(_fit(ledger, request.parent, write(architecture)), data, request.site)
        if fitted is not None:
            left = architecture.totals.parameters
            _add(ledger, request.origin(place), architecture, left, fitted.stages[0], fitted.seconds, tell)
    return fitted is not None


def _fit(ledger: Ledger, parent: Candidate, line: str) -> Fit:
    """A training validated as the search validates."""
    recipe = StudySettings.from_json(ledger.settings).recipe
    return Fit(key=line, line=line, recipe=recipe, seed=parent.seed, fold=_FOLD)


def _trained(fit: Fit, data: DataSet, site: Site) -> Fitted | None:
    """What a training leaves; None if the user has interrupted it, SearchError if it fails."""
    ended: list[Fitted | Failed] = []
    if not train_batch([fit], data, site, lambda _, outcome: ended.append(outcome)):
        return None
    if isinstance(ended[0], Failed):
        raise SearchError(f"the training of {fit.line} failed: {ended[0].reason}")
    return ended[0]


def _add(
    ledger: Ledger,
    origin: PrunedFrom,
    architecture: Architecture,
    left: int,
    stage: Stage,
    seconds: float,
    tell: Tell,
) -> None:
    assert stage.accuracy is not None
    made = ledger.add_pruned(architecture, left, origin, RungResult(stage.epochs, stage.accuracy, seconds))
    tell(f"#{made}, {origin}: {number(left)} parameters, {percent(stage.accuracy)} in validation")
