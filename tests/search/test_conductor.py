"""The whole search, decided in this process by a world without noise: no worker, no Ray, a real database."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Callable

import optuna
import pytest
from optuna.artifacts import get_all_artifact_meta
from sqlalchemy.exc import OperationalError

from search.artifacts import DatabaseArtifacts
from search.conductor import HOPELESS, Conductor
from search.ledger import Ledger
from search.repeats import RUNS
from search.settings import CONFIRMATIONS, StudySettings
from space.candidate import State
from space.fitting import smallest
from space.notation import read
from space.ranges import Value
from space.search_space import FILL
from workers.job import Failed, Job, Outcome, Trained

Train = Callable[[Job], Outcome]
Drive = Callable[[Conductor, Train], list[Job]]
MakeConductor = Callable[..., Conductor]


def hopeless(job: Job) -> Outcome:
    return Trained(losses=(1.0,) * job.epochs, accuracy=0.1, seconds=0.0)


def test_a_run_ends_with_a_confirmed_winner(
    ledger: Ledger, make_conductor: MakeConductor, drive: Drive, by_size: Train
) -> None:
    conductor = make_conductor(ledger)
    jobs = drive(conductor, by_size)
    assert conductor.winner is not None
    assert conductor.finished
    assert ledger.winner == conductor.winner
    winner = ledger.candidate(conductor.winner)
    assert len(winner.confirmations) == CONFIRMATIONS
    assert statistics.mean(run.accuracy for run in winner.confirmations) >= 0.9
    confirming = [job for job in jobs if job.kind == "confirmation" and job.candidate == winner.number]
    assert len({job.seed for job in confirming} | {winner.seed}) == CONFIRMATIONS + 1
    assert sorted(job.fold for job in confirming) == [1, 2, 3]


def test_no_architecture_over_the_budget_reaches_a_worker(
    ledger: Ledger, make_conductor: MakeConductor, drive: Drive
) -> None:
    jobs = drive(make_conductor(ledger, trials=20), hopeless)
    assert all(read(job.line).totals.parameters <= 3000 for job in jobs)
    assert any(candidate.state == State.OVER_BUDGET for candidate in ledger.candidates())


def test_only_the_best_of_a_rung_go_on(
    ledger: Ledger, make_conductor: MakeConductor, drive: Drive, settings: StudySettings
) -> None:
    def by_size(job: Job) -> Outcome:
        accuracy = 0.2 * read(job.line).totals.parameters / 3000
        return Trained(losses=(1.0,) * job.epochs, accuracy=accuracy, seconds=0.0)

    drive(make_conductor(ledger, trials=60), by_size)
    trained = [candidate for candidate in ledger.candidates() if candidate.rungs]
    reached = [sum(epochs in candidate.rungs for candidate in trained) for epochs in settings.rungs]
    assert reached[0] == 60
    assert 60 / 8 <= reached[1] <= 60 / 2
    assert 1 <= reached[2] < reached[1]
    best = max(trained, key=lambda candidate: candidate.parameters)
    assert best.state == State.COMPLETE


def test_weights_are_asked_for_at_the_top_rung_and_kept_of_those_on_the_front(
    ledger: Ledger, make_conductor: MakeConductor, drive: Drive, settings: StudySettings
) -> None:
    by_candidate: dict[int, float] = {}

    def alike(job: Job) -> Outcome:
        """Each candidate a little worse than the one before."""
        accuracy = by_candidate.setdefault(job.candidate, 0.8 - 0.01 * len(by_candidate))
        weights = job.line.encode() if job.wants_weights else None
        return Trained(losses=(1.0,) * job.epochs, accuracy=accuracy, seconds=0.0, weights=weights)

    jobs = drive(make_conductor(ledger, trials=12), alike)
    assert {job.wants_weights for job in jobs if job.epochs == settings.rungs[-1]} == {True}
    assert {job.wants_weights for job in jobs if job.epochs < settings.rungs[-1]} == {False}
    smallest = float("inf")
    for candidate, trial in zip(ledger.candidates(), ledger._study.trials, strict=True):
        kept = {meta.filename: meta for meta in get_all_artifact_meta(trial, storage=ledger.store.optuna)}
        on_the_front = candidate.state == State.COMPLETE and candidate.parameters < smallest
        assert bool(kept) == on_the_front
        if on_the_front:
            smallest = candidate.parameters
            read_back = DatabaseArtifacts(ledger.store).open_reader(kept["weights.safetensors"].artifact_id).read()
            assert read_back.decode() == candidate.line


def test_a_lucky_hit_is_not_believed(ledger: Ledger, make_conductor: MakeConductor, drive: Drive) -> None:
    def lucky_once(job: Job) -> Outcome:
        accuracy = 0.91 if job.kind == "candidate" else 0.89
        return Trained(losses=(1.0,) * job.epochs, accuracy=accuracy, seconds=0.0)

    conductor = make_conductor(ledger, trials=3)
    drive(conductor, lucky_once)
    assert conductor.winner is None
    assert ledger.winner is None
    assert [len(candidate.confirmations) for candidate in ledger.candidates() if candidate.rungs] == [3, 3, 3]


class Stubborn(optuna.samplers.RandomSampler):
    """Always proposes the smallest network, widened to the budget."""

    def __init__(self, settings: StudySettings) -> None:
        super().__init__()
        self.choices = {**smallest(settings.space), FILL: 100}

    def sample_independent(self, study: object, trial: object, param_name: str, param_distribution: object) -> Value:
        return self.choices[param_name]


def test_a_network_that_is_proposed_again_is_trained_with_other_seeds_and_counts_by_their_mean(
    ledger: Ledger,
    make_conductor: MakeConductor,
    drive: Drive,
    settings: StudySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    monkeypatch.setattr("search.proposer.DRAWS", 0)
    conductor = make_conductor(ledger)
    conductor._proposer._sampler = Stubborn(settings)

    def luck_at_first(job: Job) -> Outcome:
        accuracy = 0.85 if job.kind == "candidate" else 0.82
        return Trained(losses=(1.0,) * job.epochs, accuracy=accuracy, seconds=0.0)

    jobs = drive(conductor, luck_at_first)
    assert [(job.kind, job.epochs) for job in jobs] == [
        *(("candidate", epochs) for epochs in settings.rungs),
        *[("repeat", settings.rungs[-1])] * (RUNS - 1),
    ]
    (candidate,) = ledger.candidates()
    assert candidate.accuracy == pytest.approx((0.85 + 2 * 0.82) / 3)
    assert conductor.spent
    assert conductor.exhausted


def test_a_mean_below_the_target_is_no_hit_any_more(
    ledger: Ledger,
    make_conductor: MakeConductor,
    settings: StudySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("search.proposer.STARTUP", 0)
    conductor = make_conductor(ledger)
    conductor._proposer._sampler = Stubborn(settings)
    for epochs in settings.rungs:
        job = conductor.next_job()
        assert job is not None
        conductor.tell(job, Trained(losses=(1.0,) * epochs, accuracy=0.91, seconds=0.0))
    assert conductor._confirmer.busy
    job = conductor._repeater.take(0)
    assert job is not None
    conductor.tell(job, Trained(losses=(1.0,) * 16, accuracy=0.85, seconds=0.0))
    assert not conductor._confirmer.busy


def test_a_failed_training_is_told_with_its_reason_and_the_run_goes_on(
    ledger: Ledger, make_conductor: MakeConductor, drive: Drive, by_size: Train
) -> None:
    def first_fails(job: Job) -> Outcome:
        if not any(candidate.state == State.FAILED for candidate in ledger.candidates()):
            return Failed(epochs=job.epochs, reason="the training loss became nan")
        return by_size(job)

    conductor = make_conductor(ledger)
    drive(conductor, first_fails)
    failed = [candidate for candidate in ledger.candidates() if candidate.state == State.FAILED]
    assert [candidate.reason for candidate in failed] == ["the training loss became nan"]
    assert conductor.winner is not None


def test_a_run_gives_up_where_everything_fails(ledger: Ledger, make_conductor: MakeConductor, drive: Drive) -> None:
    conductor = make_conductor(ledger)
    jobs = drive(conductor, lambda job: Failed(epochs=job.epochs, reason="no such device"))
    assert len(jobs) == HOPELESS
    assert conductor.finished
    assert conductor.hopeless == "10 trainings in a row failed, the last one with: no such device"


def test_a_failed_confirmation_is_tried_again_and_then_given_up(
    ledger: Ledger, make_conductor: MakeConductor, drive: Drive
) -> None:
    def never_confirmed(job: Job) -> Outcome:
        if job.kind == "confirmation":
            return Failed(epochs=job.epochs, reason="its worker died")
        return Trained(losses=(1.0,) * job.epochs, accuracy=0.99, seconds=0.0)

    conductor = make_conductor(ledger, trials=1)
    jobs = drive(conductor, never_confirmed)
    assert [job.kind for job in jobs] == [*["candidate"] * 3, "confirmation", "confirmation"]
    assert conductor.winner is None
    assert conductor.exhausted


def test_the_trial_limit_counts_those_of_earlier_runs(
    open_ledger: Callable[[], Ledger], make_conductor: MakeConductor, drive: Drive
) -> None:
    drive(make_conductor(open_ledger(), trials=5), hopeless)
    again = drive(make_conductor(open_ledger(), trials=8), hopeless)
    assert len({job.candidate for job in again if job.kind == "candidate"}) == 3
    assert drive(make_conductor(open_ledger(), trials=8), hopeless) == []


def test_a_run_ends_when_its_time_is_up(ledger: Ledger, make_conductor: MakeConductor) -> None:
    conductor = make_conductor(ledger, timeout=1e-9)
    assert conductor.finished
    assert conductor.next_job() is None


def test_an_interrupted_run_leaves_nothing_running(ledger: Ledger, make_conductor: MakeConductor) -> None:
    conductor = make_conductor(ledger)
    conductor.next_job()
    conductor.next_job()
    conductor.interrupted = True
    assert conductor.next_job() is None
    conductor.close()
    states = {candidate.state for candidate in ledger.candidates()}
    assert states <= {State.OVER_BUDGET, State.FAILED}
    assert len(ledger.interrupted(StudySettings.from_json(ledger.settings).space)) == 2


@pytest.mark.parametrize("killed_after", [0, 1, 2])
def test_confirmations_that_were_there_before_a_kill_are_not_repeated(
    open_ledger: Callable[[], Ledger], make_conductor: MakeConductor, drive: Drive, by_size: Train, killed_after: int
) -> None:
    class KilledError(Exception):
        pass

    confirmed = 0

    def dying(job: Job) -> Outcome:
        nonlocal confirmed
        if job.kind == "confirmation":
            if confirmed == killed_after:
                raise KilledError
            confirmed += 1
        return by_size(job)

    with pytest.raises(KilledError):
        drive(make_conductor(open_ledger()), dying)
    conductor = make_conductor(open_ledger())
    jobs = drive(conductor, by_size)
    assert [job.kind for job in jobs] == ["confirmation"] * (CONFIRMATIONS - killed_after)
    assert conductor.winner is not None


def test_a_winner_whose_record_a_kill_prevented_is_found_again(
    open_ledger: Callable[[], Ledger],
    make_conductor: MakeConductor,
    drive: Drive,
    by_size: Train,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = open_ledger()
    monkeypatch.setattr(ledger, "record_winner", lambda number: None)
    drive(make_conductor(ledger, trials=30), by_size)
    assert open_ledger().winner is None
    conductor = make_conductor(open_ledger())
    assert conductor.winner is not None
    assert conductor.next_job() is None
    assert open_ledger().winner == conductor.winner


def test_an_outage_while_it_is_asked_who_is_alive_is_waited_for(
    ledger: Ledger, make_conductor: MakeConductor, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor = make_conductor(ledger)
    conductor.next_job()
    asked = []

    def living() -> set[int]:
        asked.append(ledger.driver)
        if len(asked) == 1:
            raise OperationalError("SELECT", {}, sqlite3.OperationalError("database is locked"))
        return {ledger.driver}

    monkeypatch.setattr(conductor._presence, "living", living)
    monkeypatch.setattr("search.conductor.PERIOD", 0.0)
    conductor.look_around()
    assert len(asked) == 2
    assert [candidate.state for candidate in ledger.candidates()][-1] == State.RUNNING


def test_of_many_jobs_at_once_those_that_are_due_come_first(ledger: Ledger, make_conductor: MakeConductor) -> None:
    conductor = make_conductor(ledger)
    assert conductor.next_jobs(0) == []
    lost, *others = conductor.next_jobs(3)
    assert len(others) == 2
    conductor.lose(lost, "the node is gone")
    again = conductor.next_jobs(2)
    assert again[0] == lost
    assert again[1] not in (lost, *others)


def test_together_no_more_is_trained_than_a_study_may_have(ledger: Ledger, make_conductor: MakeConductor) -> None:
    conductor = make_conductor(ledger, trials=3)
    assert [len(conductor.next_jobs(2)) for _ in range(3)] == [2, 1, 0]
