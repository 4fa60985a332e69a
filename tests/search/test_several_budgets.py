"""One search for several budgets, and on below a winner, in a world without noise and a real database."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from search.conductor import Conductor
from search.ledger import Ledger
from search.settings import StudySettings
from space.candidate import State
from space.fitting import parameters, smallest
from space.notation import read
from space.trail import winners
from workers.job import Job, Outcome, Trained

Train = Callable[[Job], Outcome]
Drive = Callable[[Conductor, Train], list[Job]]
MakeConductor = Callable[..., Conductor]
BUDGETS = (1000, 2000, 3000)


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> StudySettings:
    return StudySettings.make("digits", getattr(request, "param", BUDGETS), 0.9)


def good_from(least: int) -> Train:
    """A world in which every network of so many parameters is good enough, and larger ones are a little better."""

    def train(job: Job) -> Outcome:
        count = read(job.line).totals.parameters
        accuracy = (0.91 if count >= least else 0.5) + count / 1e6
        return Trained(losses=(1.0,) * job.epochs, accuracy=accuracy, seconds=0.0)

    return train


def one_budget(*budgets: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("settings", [budgets], indirect=True)


def test_a_run_ends_when_every_budget_has_a_winner(ledger: Ledger, make_conductor: MakeConductor, drive: Drive) -> None:
    conductor = make_conductor(ledger)
    seen: list[int] = []

    def watched(job: Job) -> Outcome:
        assert not conductor.finished
        seen.append(len(conductor.aims))
        return good_from(800)(job)

    drive(conductor, watched)
    assert conductor.finished
    assert seen == sorted(seen, reverse=True)
    assert 0 < seen[-1] < len(BUDGETS)
    won = winners(BUDGETS, ledger.trail)
    assert won.keys() == set(BUDGETS)
    for budget, number in won.items():
        assert ledger.candidate(number).parameters <= budget
        assert len(ledger.candidate(number).confirmations) == 3


def test_one_training_serves_every_budget_that_it_fits(
    ledger: Ledger, make_conductor: MakeConductor, drive: Drive
) -> None:
    """The sampler never aims at the smallest budget here: what it proposes for a larger one is the winner of all."""
    conductor = make_conductor(ledger)

    def only_small(job: Job) -> Outcome:
        count = read(job.line).totals.parameters
        return Trained(losses=(1.0,) * job.epochs, accuracy=0.95 if count <= 1000 else 0.5, seconds=0.0)

    jobs = drive(conductor, only_small)
    assert set(winners(BUDGETS, ledger.trail).values()) == {conductor.winner}
    assert [job.candidate for job in jobs if job.kind == "confirmation"] == [conductor.winner] * 3


def test_no_hit_is_confirmed_that_no_budget_needs(ledger: Ledger, make_conductor: MakeConductor, drive: Drive) -> None:
    jobs = drive(make_conductor(ledger), good_from(800))
    confirmed = dict.fromkeys(job.candidate for job in jobs if job.kind == "confirmation")
    assert list(confirmed) == [win.number for win in ledger.trail]


def test_a_budget_without_a_winner_is_searched_for_when_the_run_is_begun_again(
    open_ledger: Callable[[], Ledger], make_conductor: MakeConductor, drive: Drive
) -> None:
    drive(make_conductor(open_ledger(), trials=12), good_from(1001))
    conductor = make_conductor(open_ledger())
    assert conductor.aims == (1000,)
    assert {read(job.line).totals.parameters <= 1000 for job in drive(conductor, good_from(800))} == {True}
    assert conductor.finished


@one_budget(3000)
def test_the_winners_of_shrinking_are_ever_smaller(ledger: Ledger, make_conductor: MakeConductor, drive: Drive) -> None:
    conductor = make_conductor(ledger, shrink=True, trials=40)
    jobs = drive(conductor, good_from(600))
    sizes = [win.parameters for win in ledger.trail]
    assert len(sizes) >= 3
    assert sizes == sorted(set(sizes), reverse=True)
    assert conductor.winner == ledger.winner == ledger.trail[-1].number
    ceiling, wins = 3000, {win.number: win.parameters for win in ledger.trail}
    confirming = [job for job in jobs if job.kind == "confirmation"]
    for job in confirming:
        assert read(job.line).totals.parameters <= ceiling
        if job.fold == 3 and job.candidate in wins:
            ceiling = wins[job.candidate] - 1
    assert conductor.exhausted
    assert all(candidate.state != State.RUNNING for candidate in ledger.candidates())


@one_budget(3000)
def test_shrinking_goes_on_below_the_last_winner_after_a_kill(
    open_ledger: Callable[[], Ledger], make_conductor: MakeConductor, drive: Drive
) -> None:
    class KilledError(Exception):
        pass

    first = open_ledger()

    def dying(job: Job) -> Outcome:
        if len(first.trail) == 2:
            raise KilledError
        return good_from(600)(job)

    with pytest.raises(KilledError):
        drive(make_conductor(first, shrink=True), dying)
    before = open_ledger().trail
    ledger = open_ledger()
    conductor = make_conductor(ledger, shrink=True, trials=40)
    assert conductor.aims == (before[-1].parameters - 1,)
    started = {job.candidate: read(job.line).totals.parameters for job in drive(conductor, good_from(600))}
    assert max(started.values()) < before[-1].parameters
    sizes = [win.parameters for win in ledger.trail]
    assert ledger.trail[:2] == before
    assert sizes == sorted(set(sizes), reverse=True)


@one_budget(3000)
def test_a_candidate_that_has_become_too_large_does_not_go_on(
    ledger: Ledger, make_conductor: MakeConductor, drive: Drive
) -> None:
    conductor = make_conductor(ledger, shrink=True, trials=30)
    jobs = [job for _ in range(4) if (job := conductor.next_job()) is not None]
    sizes = {job.candidate: read(job.line).totals.parameters for job in jobs}
    least = min(sizes, key=lambda number: sizes[number])
    ledger.record_winner(least)
    conductor._look()
    for job in jobs:
        conductor.tell(job, good_from(600)(job))
    late = [candidate for candidate in ledger.candidates() if candidate.number in sizes]
    assert {candidate.state for candidate in late} == {State.PRUNED}
    assert late[0].reason == f"{late[0].parameters} parameters, and by now at most {sizes[least] - 1} are of use"


@one_budget(60)
def test_shrinking_ends_at_the_smallest_network(
    ledger: Ledger, settings: StudySettings, make_conductor: MakeConductor, drive: Drive
) -> None:
    conductor = make_conductor(ledger, shrink=True)
    drive(conductor, good_from(0))
    assert conductor.finished
    assert not conductor.exhausted
    assert ledger.trail[-1].parameters == parameters(settings.space, smallest(settings.space))


@one_budget(1000, 3000)
def test_with_several_budgets_shrinking_begins_when_all_have_winners(
    ledger: Ledger, make_conductor: MakeConductor, drive: Drive
) -> None:
    conductor = make_conductor(ledger, shrink=True, trials=40)
    aims: list[tuple[int, ...]] = []

    def watched(job: Job) -> Outcome:
        if not aims or aims[-1] != conductor.aims:
            aims.append(conductor.aims)
        return good_from(600)(job)

    drive(conductor, watched)
    assert aims[0] == (1000, 3000)
    shrinking = [aim for aim, *others in aims if not others and aim < 1000]
    assert shrinking
    assert shrinking == sorted(shrinking, reverse=True)
    assert ledger.trail[-1].parameters < 1000


@one_budget(3000)
def test_without_shrinking_the_first_winner_ends_the_run(
    ledger: Ledger, make_conductor: MakeConductor, drive: Drive
) -> None:
    drive(make_conductor(ledger), good_from(600))
    assert len(ledger.trail) == 1


@one_budget(3000)
def test_another_driver_learns_of_the_ceiling_from_the_database(
    open_ledger: Callable[[], Ledger], make_conductor: MakeConductor, drive: Drive
) -> None:
    one, other = open_ledger(), open_ledger()
    watching = make_conductor(other, shrink=True)
    assert watching.aims == (3000,)
    drive(make_conductor(one), good_from(600))
    watching._look()
    assert watching.aims == (one.trail[-1].parameters - 1,)
    job = watching.next_job()
    assert job is not None
    assert read(job.line).totals.parameters < one.trail[-1].parameters
