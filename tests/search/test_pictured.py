from __future__ import annotations

import random

from search.ledger import Ledger, RungResult
from search.pictured import pictured
from search.settings import StudySettings
from space.architecture import Architecture
from space.candidate import Candidate, PrunedFrom
from space.notation import read


def test_a_study_has_what_was_asked_and_what_was_found(
    ledger: Ledger, settings: StudySettings, candidate: Candidate
) -> None:
    study = pictured(ledger)
    assert (study.name, study.dataset, study.budget, study.target) == ("study", "digits", 3000, 0.9)
    assert study.rungs == settings.rungs
    assert list(study.candidates) == ledger.candidates() == [candidate]


def test_importance_is_read_only_where_it_is_asked_for(ledger: Ledger, settings: StudySettings) -> None:
    rng = random.Random(3)
    for place in range(12):
        number = ledger.begin(settings.space, settings.space.random(rng), settings.budget)
        ledger.tell_complete(number, RungResult(1, 0.5 + place / 100, 1.0))
    assert pictured(ledger).importance == {}
    assert pictured(ledger, importance=True).importance


def test_a_study_without_candidates_can_be_pictured(ledger: Ledger) -> None:
    study = pictured(ledger, importance=True)
    assert list(study.candidates) == []
    assert study.importance == {}


def test_what_pruning_has_made_has_no_choices(ledger: Ledger, candidate: Candidate) -> None:
    architecture: Architecture = read(candidate.line)
    slim = PrunedFrom(parent=candidate.number, what="weights", keep=0.5, rounds=1, round=1)
    ledger.add_pruned(architecture, 100, slim, RungResult(16, 0.9, 1.0))
    assert list(ledger.choices()) == [candidate.number]
    assert len(pictured(ledger).candidates) == 2
