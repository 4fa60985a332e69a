"""Verification: fresh trainings on all training images, and the test set read once for each, when all have ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dashboards.text import duration
from search import home
from search.batch import train_batch
from search.conditions import training_images
from search.errors import SearchError, SettingsError
from search.ledger import Ledger
from search.poster import Poster
from search.seeds import derive
from search.settings import StudySettings
from search.site import Site
from space.candidate import Candidate
from space.notation import read
from workers import sources
from workers.dataset import DataSet
from workers.job import Failed, Fit, Fitted, Pruning
from workers.recipe import Recipe

Tell = Callable[[str], None]
"""Takes progress, line by line."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """One training, and the candidates that it verifies: more than one where they are rounds of one pruning."""

    fit: Fit
    place: int
    candidates: Sequence[Candidate]


def verify(
    ledger: Ledger, candidates: Sequence[Candidate], seeds: int, site: Site, tell: Tell, epochs: int | None = None
) -> bool:
    """Verify candidates with `seeds` trainings each, less those that the study has already; False if interrupted.

    `epochs` is how long each of them is, by default as long as the study's longest. SettingsError where the training
    images are not those of the study, SearchError where a training fails.
    """
    for candidate in candidates:
        if not candidate.line:
            number = candidate.number
            raise SettingsError(f"a verification needs a candidate with an architecture, but #{number} has none")
    groups = [[candidate] for candidate in candidates]
    return verify_all(ledger, groups, seeds, training_images(ledger), site, tell, epochs)


def verify_all(
    ledger: Ledger,
    groups: Sequence[Sequence[Candidate]],
    seeds: int,
    data: DataSet,
    site: Site,
    tell: Tell,
    epochs: int | None = None,
) -> bool:
    """Verify candidates with `seeds` trainings a group, less those that the study has already; False if interrupted.

    The test set is not opened before all trainings have ended.
    """
    settings = StudySettings.from_json(ledger.settings)
    recipe = replace(settings.recipe, epochs=epochs or settings.recipe.epochs)
    _tell_earlier(ledger, tell)
    missing = [course for group in groups for course in _courses(ledger, group, seeds, recipe)]
    if missing and not _train(ledger, missing, data, site, tell):
        return False
    _read_test_set(ledger, [candidate for group in groups for candidate in group], recipe.epochs, data, tell)
    Poster(ledger, settings).post(ledger.candidates())
    return True


def _courses(ledger: Ledger, group: Sequence[Candidate], seeds: int, recipe: Recipe) -> list[Course]:
    """The trainings that a group lacks."""
    trained = [ledger.verifications.trained(candidate.number, recipe.epochs) for candidate in group]
    return [
        Course(fit=_fit(ledger.settings_seed, recipe, group[-1], place), place=place, candidates=group)
        for place in range(seeds)
        if not all(place in places for places in trained)
    ]


def _fit(seed: int, recipe: Recipe, candidate: Candidate, place: int) -> Fit:
    """One training of a verification: what pruning has made is trained and pruned as it was made."""
    origin, pruning = candidate.number, None
    if candidate.pruning is not None and candidate.pruning.is_masked:
        origin = candidate.pruning.parent
        pruning = Pruning(keep=candidate.pruning.keep, rounds=candidate.pruning.rounds)
    return Fit(
        key=f"{candidate.number}/{place}",
        line=candidate.line,
        recipe=recipe,
        seed=derive(seed, "verification", origin, place),
        pruning=pruning,
    )


def _train(ledger: Ledger, courses: Sequence[Course], data: DataSet, site: Site, tell: Tell) -> bool:
    """Write down each training as it ends; SearchError, which ends the others, if one fails."""
    by_key = {course.fit.key: course for course in courses}

    def take(fit: Fit, outcome: Fitted | Failed) -> None:
        if isinstance(outcome, Failed):
            raise SearchError(f"the training with seed {fit.seed} failed: {outcome.reason}")
        course = by_key.pop(fit.key)
        for candidate in course.candidates:
            stage = outcome.stages[0 if candidate.pruning is None else candidate.pruning.stage]
            ledger.verifications.add(
                candidate.number,
                course.place,
                seed=fit.seed,
                epochs=fit.epochs,
                seconds=outcome.seconds,
                weights=stage.weights,
            )
        tell(f"seed {fit.seed} trained in {duration(outcome.seconds)}; {len(by_key)} left")

    return train_batch([course.fit for course in courses], data, site, take)


def _read_test_set(ledger: Ledger, candidates: Sequence[Candidate], epochs: int, training: DataSet, tell: Tell) -> None:
    """Count what each trained network takes the test images for, unless that is on record."""
    from workers.reading import confusion
    from workers.weights import unpack

    record = ledger.verifications
    tested = {number: {run.place for run in runs if run.epochs == epochs} for number, runs in record.tested().items()}
    due = [
        (candidate, place)
        for candidate in candidates
        for place in sorted(record.trained(candidate.number, epochs) - tested.get(candidate.number, set()))
    ]
    if not due:
        return
    test = sources.load(training.name, home.data_directory(), "test")
    tell(f"all trainings have ended; reading the test set once for each of {len(due)}")
    for candidate, place in due:
        packed = record.packed(candidate.number, epochs, place)
        assert packed is not None
        record.record_test(
            candidate.number, epochs, place, confusion(read(candidate.line), unpack(packed), test, training)
        )


def _tell_earlier(ledger: Ledger, tell: Tell) -> None:
    """Say how often the test set was read before: each time makes it less of a test."""
    earlier = ledger.verifications.tested()
    if earlier:
        whose = ", ".join(f"{len(runs)} times for #{number}" for number, runs in sorted(earlier.items()))
        tell(f"the test set has been read before in this study: {whose}")
