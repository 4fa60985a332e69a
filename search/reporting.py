"""A report on a study, read from its record."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version

from dashboards.pareto.points import Study
from dashboards.report.numbers import Report
from dashboards.tables import ranking
from search import drivers
from search.commands.verify import SEEDS
from search.ledger import Ledger
from search.pictured import pictured
from search.proposer import PUBLISHED
from search.samplers import SAMPLERS
from search.settings import CONFIRMATIONS, StudySettings, differences
from space.candidate import Candidate
from space.known_points import published_in
from space.trail import is_shrunk


def report(ledger: Ledger, title: str | None = None) -> Report:
    """All that is known of a study now; nothing in it is of the database or of where that is."""
    searching = len(drivers.living(ledger.store.engine, ledger.name))
    study = pictured(ledger, importance=True)
    settings = StudySettings.from_json(ledger.settings)
    today = StudySettings.make(settings.dataset, settings.budgets, settings.target, settings.seed, settings.rungs)
    best = ranking(study.candidates, study.winner)
    return Report(
        title=title or f"petitnet: {study.name}",
        study=study,
        made=datetime.now().astimezone(),
        made_by=f"petitnet {version('petitnet')}",
        searching=searching,
        confirmations=CONFIRMATIONS,
        settings=ledger.settings,
        changed=differences(ledger.settings, today.to_json()),
        conditions=ledger.conditions,
        commands=tuple(_commands(ledger, settings, study)),
        verifying=_verify(study, best[0]) if best else "",
    )


def _commands(ledger: Ledger, settings: StudySettings, study: Study) -> Iterator[str]:
    """What searches, verifies and prunes again as it was done, as far as that is on record."""
    yield _run(ledger, settings, study)
    tested = [one for one in study.candidates if one.verifications and one.pruning is None]
    yield from dict.fromkeys(_verify(study, candidate) for candidate in tested)
    if not tested:
        yield shlex.join(["search", "verify", *_operand(study.name)])
    yield from dict.fromkeys(_prune(study, one) for one in study.candidates if one.pruning is not None)


def _run(ledger: Ledger, settings: StudySettings, study: Study) -> str:
    """With each option that is not left at its default; the sampler is that of the last run."""
    words = ["search", "run", *settings.options()]
    if study.name != settings.name:
        words += ["--study-name", study.name]
    sampler = ledger.conditions.get("sampler", SAMPLERS[0])
    if sampler != SAMPLERS[0]:
        words += ["--sampler", sampler]
    if _began_cold(settings, study):
        words.append("--cold-start")
    if is_shrunk(study.budgets, study.trail):
        words.append("--shrink")
    return shlex.join(words)


def _began_cold(settings: StudySettings, study: Study) -> bool:
    """Whether published networks were left out: they are what a run proposes first, where the space has any."""
    asked = any(candidate.origin.startswith(PUBLISHED) for candidate in study.candidates)
    return bool(study.candidates) and not asked and bool(published_in(settings.space))


def _verify(study: Study, candidate: Candidate) -> str:
    place = study.name if candidate.number in study.winners.values() else f"{study.name}/{candidate.number}"
    count = len(candidate.verifications)
    seeds = [] if count in (0, SEEDS) else ["--seeds", str(count)]
    lengths = {run.epochs for run in candidate.verifications} - {candidate.epochs}
    length = ["--epochs", str(max(lengths))] if lengths else []
    return shlex.join(["search", "verify", *seeds, *length, *_operand(place)])


def _prune(study: Study, candidate: Candidate) -> str:
    pruning = candidate.pruning
    assert pruning is not None
    words = ["--keep", f"{pruning.keep:g}", "--rounds", str(pruning.rounds)]
    filters = [] if pruning.is_masked else ["--filters"]
    return shlex.join(["search", "prune", *words, *filters, *_operand(f"{study.name}/{pruning.parent}")])


def _operand(place: str) -> list[str]:
    """A place that begins with a dash is no option."""
    return ["--", place] if place.startswith("-") else [place]
