from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from search.confirmation import Confirmer
from search.errors import SettingsError
from search.ledger import Ledger
from search.prune import Request, prune, rounds
from search.settings import StudySettings
from search.site import Site
from space.candidate import Candidate, PrunedWhat, State
from space.fitting import BudgetError
from space.layers import Conv
from space.notation import read
from tests.search.bench import Bench

Asked = Callable[..., Request]


@pytest.fixture
def asked(candidate: Candidate) -> Asked:
    def ask(what: PrunedWhat, keep: float = 0.5, seeds: int = 2) -> Request:
        return Request(parent=candidate, what=what, keep=keep, rounds=2, seeds=seeds, site=Site())

    return ask


def test_weights_are_pruned_round_by_round_and_each_round_is_verified(
    ledger: Ledger, candidate: Candidate, asked: Asked, bench: Bench
) -> None:
    said: list[str] = []
    assert prune(ledger, asked("weights"), said.append)
    parent, first, second = rounds(ledger, asked("weights"))
    architecture = read(candidate.line)
    total = architecture.totals.parameters
    weights = sum(
        row.parameters - (row.shape[0] if layer.bias else 0)
        for row in architecture.rows()
        if isinstance(layer := row.layer, Conv)
    )
    assert parent.number == candidate.number
    assert first.parameters == total - weights + round(weights * 0.5**0.5)
    assert second.parameters == pytest.approx(total - weights / 2, abs=1)
    for number, made in enumerate((first, second), start=1):
        assert (made.state, made.line) == (State.COMPLETE, candidate.line)
        assert made.pruning == asked("weights").origin(number)
        assert [run.place for run in made.verifications] == [0, 1]
    assert first.verifications[0].seed == second.verifications[0].seed
    assert len([entry for entry in bench.log if entry.startswith("trained")]) == 1 + 2
    assert bench.log[-1] == "opened test"


def test_filters_are_left_out_until_the_architecture_is_small_enough(
    ledger: Ledger, candidate: Candidate, asked: Asked, bench: Bench
) -> None:
    assert prune(ledger, asked("filters"), lambda _: None)
    parent, first, second = rounds(ledger, asked("filters"))
    assert parent.parameters > first.parameters > second.parameters
    assert first.parameters <= parent.parameters * 0.5**0.5
    assert second.parameters <= parent.parameters * 0.5
    for made in (first, second):
        architecture = read(made.line)
        assert architecture.totals.parameters == made.parameters
        assert architecture.totals.macs == made.macs < parent.macs
        assert len(made.verifications) == 2


@pytest.mark.parametrize("what", ["weights", "filters"])
def test_the_same_command_goes_on_where_it_was_interrupted(
    ledger: Ledger, asked: Asked, bench: Bench, what: PrunedWhat
) -> None:
    bench.most = 0
    assert not prune(ledger, asked(what), lambda _: None)
    bench.most = 1
    assert not prune(ledger, asked(what), lambda _: None)
    made = rounds(ledger, asked(what))
    assert len(made) == 3
    bench.most = 100
    bench.log.clear()
    assert prune(ledger, asked(what), lambda _: None)
    assert [found.number for found in rounds(ledger, asked(what))] == [found.number for found in made]
    left = {"weights": 1, "filters": 3}[what]
    assert len([entry for entry in bench.log if entry.startswith("trained")]) == left


def test_what_was_pruned_otherwise_is_another_candidate(ledger: Ledger, asked: Asked, bench: Bench) -> None:
    for keep in (0.5, 0.4):
        assert prune(ledger, asked("weights", keep=keep, seeds=1), lambda _: None)
    numbers = {made.number for keep in (0.5, 0.4) for made in rounds(ledger, asked("weights", keep=keep))[1:]}
    assert len(numbers) == 4


def test_a_pruned_candidate_is_not_pruned_again(ledger: Ledger, asked: Asked, bench: Bench) -> None:
    assert prune(ledger, asked("weights", seeds=1), lambda _: None)
    made = rounds(ledger, asked("weights"))[1]
    with pytest.raises(SettingsError, match=r"not be pruned already, but #\d+ is pruned weights"):
        prune(ledger, replace(asked("weights"), parent=made), lambda _: None)


def test_filters_cannot_be_left_out_without_end(ledger: Ledger, asked: Asked, bench: Bench) -> None:
    with pytest.raises(BudgetError, match="filters alone can slim"):
        prune(ledger, asked("filters", keep=0.0001), lambda _: None)


def test_no_search_confirms_what_pruning_has_made(
    ledger: Ledger, candidate: Candidate, asked: Asked, bench: Bench, settings: StudySettings
) -> None:
    easy = replace(settings, target=0.01)
    assert prune(ledger, asked("weights", seeds=1), lambda _: None)
    confirmer = Confirmer(ledger, easy, lambda: {ledger.driver})
    jobs = iter(confirmer.next_job, None)
    assert {job.candidate for job in jobs} == {candidate.number}
