from __future__ import annotations

import random
from collections.abc import Callable
from math import sqrt

import pytest

from search.ledger import Ledger, RungResult
from search.repeats import ATTEMPTS, EVERY, RUNS, SEED_DEVIATION, Repeater, Standard, deviation
from search.settings import StudySettings
from space.candidate import Candidate, PrunedFrom, Run, State
from space.notation import read
from workers.job import Failed, Job, Trained

TARGET = 0.99


def trained(accuracy: float, *repeats: float, state: State = State.COMPLETE) -> Candidate:
    runs = tuple(Run(seed=place, accuracy=found, seconds=1.0) for place, found in enumerate(repeats, start=1))
    return Candidate(number=0, state=state, origin="sampler", rungs={1: 0.5, 16: accuracy}, repeats=runs)


def test_several_seeds_count_by_their_mean() -> None:
    candidate = trained(0.98, 0.96, 0.97)
    assert [run.accuracy for run in candidate.runs] == [0.98, 0.96, 0.97]
    assert candidate.accuracy == candidate.mean == pytest.approx(0.97)
    assert candidate.standard_error == pytest.approx(0.01 / sqrt(3))
    assert (trained(0.98).accuracy, trained(0.98).standard_error) == (0.98, None)
    assert (trained(0.98, state=State.PRUNED).mean, trained(0.98, state=State.PRUNED).accuracy) == (None, 0.98)


def test_the_deviation_is_the_usual_one_until_the_study_knows_better() -> None:
    assert deviation([]) == deviation([trained(0.98)]) == pytest.approx(SEED_DEVIATION)
    noisy = [trained(0.98, 0.96, 0.97) for _ in range(500)]
    assert deviation(noisy) == pytest.approx(0.01, rel=0.01)
    assert SEED_DEVIATION < deviation(noisy[:1]) < 0.01


@pytest.mark.parametrize(
    ("candidate", "is_worth"),
    [
        (trained(0.9800), True),
        (trained(0.9790), True),
        (trained(0.9787), False),
        (trained(0.9790, 0.9790), False),
        (trained(0.9795, 0.9795), True),
        (trained(0.9800, 0.9800, 0.9800), False),
        (trained(0.9800, state=State.PRUNED), False),
        (trained(0.9800, state=State.RUNNING), False),
    ],
)
def test_another_seed_is_worth_having_close_to_the_best(candidate: Candidate, is_worth: bool) -> None:
    assert RUNS == 3
    assert Standard.of([candidate, trained(0.98)], TARGET).admits(candidate) == is_worth


def test_close_to_the_target_will_do_where_the_best_is_above_it() -> None:
    standard = Standard.of([trained(0.995)], TARGET)
    assert standard.admits(trained(0.9890))
    assert not standard.admits(trained(0.9880))


@pytest.fixture
def begun(ledger: Ledger, settings: StudySettings) -> int:
    number = ledger.begin(settings.space, settings.space.choose(lambda dimension: dimension.ends[0]), settings.budget)
    ledger.tell_complete(number, RungResult(16, 0.85, 1.0))
    return number


def repeater(ledger: Ledger, settings: StudySettings, *alive: int) -> Repeater:
    made = Repeater(ledger, settings, lambda: {ledger.driver, *alive})
    made.aims = (10**6,)
    return made


def take(source: Repeater, number: int) -> Job:
    job = source.take(number)
    assert job is not None
    return job


def done(accuracy: float) -> Trained:
    return Trained(losses=(1.0,) * 16, accuracy=accuracy, seconds=2.0)


def test_a_repeat_is_trained_as_the_search_trains_with_another_seed(
    ledger: Ledger, settings: StudySettings, begun: int
) -> None:
    source = repeater(ledger, settings)
    first = take(source, begun)
    second = take(source, begun)
    assert source.take(begun) is None
    assert source.busy
    for job in (first, second):
        assert (job.kind, job.fold, job.epochs) == ("repeat", 0, settings.rungs[-1])
        assert job.line == ledger.candidate(begun).line
    assert len({first.seed, second.seed, ledger.candidate(begun).seed}) == 3
    source.tell(second, done(0.83))
    source.tell(first, done(0.84))
    assert not source.busy
    assert [run.accuracy for run in ledger.candidate(begun).runs] == [0.85, 0.84, 0.83]
    assert [run.seed for run in ledger.candidate(begun).runs][1:] == [first.seed, second.seed]
    assert source.take(begun) is None


def test_one_driver_trains_a_repeat_until_it_dies(
    open_ledger: Callable[[], Ledger], settings: StudySettings, begun: int
) -> None:
    one, other = open_ledger(), open_ledger()
    jobs = [take(repeater(one, settings, other.driver), begun), take(repeater(other, settings, one.driver), begun)]
    assert jobs[0].seed != jobs[1].seed
    assert repeater(open_ledger(), settings, one.driver, other.driver).take(begun) is None
    assert take(repeater(open_ledger(), settings, other.driver), begun).seed == jobs[0].seed


def test_a_repeat_that_fails_is_tried_again_and_then_given_up(
    ledger: Ledger, settings: StudySettings, begun: int
) -> None:
    source = repeater(ledger, settings)
    seeds = []
    while (job := source.take(begun)) is not None:
        seeds.append(job.seed)
        source.tell(job, Failed(epochs=16, reason="its worker died"))
    assert len(seeds) == ATTEMPTS * (RUNS - 1)
    assert ledger.candidate(begun).repeats == ()


def finished(ledger: Ledger, settings: StudySettings, *accuracies: float) -> list[int]:
    """Different candidates, trained to the top rung."""
    rng, numbers = random.Random(5), []
    for accuracy in accuracies:
        numbers.append(ledger.begin(settings.space, settings.space.random(rng), 10**6))
        ledger.tell_complete(numbers[-1], RungResult(16, accuracy, 1.0))
    return numbers


def test_of_every_few_candidates_trained_to_the_end_the_best_gets_another_seed(
    ledger: Ledger, settings: StudySettings
) -> None:
    source = repeater(ledger, settings)
    finished(ledger, settings, 0.80, *[0.70] * (EVERY - 2))
    source.finished = EVERY
    assert source.next_job() is None
    [best] = finished(ledger, settings, 0.8001)
    source.finished = EVERY - 1
    assert source.next_job() is None, "it looks when enough were trained to the end"
    source.finished += 1
    job = source.next_job()
    assert job is not None
    assert (job.kind, job.candidate) == ("repeat", best)
    source.finished = EVERY
    assert source.next_job() is None, "that one repeat counts while it is in training"
    source.tell(job, done(0.70))
    finished(ledger, settings, *[0.60] * EVERY)
    source.finished = EVERY
    job = source.next_job()
    assert job is not None
    assert job.candidate == 0, "the first one is the best by the means"


def test_nothing_is_repeated_that_is_not_near_the_best(ledger: Ledger, settings: StudySettings) -> None:
    source = repeater(ledger, settings)
    [best, *_] = finished(ledger, settings, 0.85, *[0.60] * 8 * EVERY)
    taken = []
    for _ in range(4):
        source.finished = EVERY
        job = source.next_job()
        if job is not None:
            taken.append(job.candidate)
            source.tell(job, done(0.85))
    assert taken == [best] * (RUNS - 1)


def test_nothing_is_repeated_that_is_too_large_to_be_of_use(ledger: Ledger, settings: StudySettings) -> None:
    finished(ledger, settings, *[0.80] * 2 * EVERY)
    sizes = sorted(candidate.parameters for candidate in ledger.candidates())
    source = repeater(ledger, settings)
    source.aims = (sizes[EVERY - 1],)
    source.finished = EVERY
    job = source.next_job()
    assert job is not None
    assert ledger.candidate(job.candidate).parameters <= source.aims[0]
    source.aims = (sizes[0] - 1,)
    source.finished = EVERY
    assert source.next_job() is None


@pytest.fixture
def by_size(ledger: Ledger, settings: StudySettings) -> list[Candidate]:
    """Candidates trained to the top rung, the smallest first; the larger half are much better, the largest best."""
    rng, numbers = random.Random(5), []
    for _ in range(4 * EVERY):
        numbers.append(ledger.begin(settings.space, settings.space.random(rng), 10**6))
    found = sorted(map(ledger.candidate, numbers), key=lambda one: one.parameters)
    for place, one in enumerate(found):
        better = 0.10 if place >= 2 * EVERY else 0.0
        ledger.tell_complete(one.number, RungResult(16, 0.80 + better + 0.0001 * place, 1.0))
    return found


def test_what_pruning_has_made_is_not_repeated(ledger: Ledger, settings: StudySettings, begun: int) -> None:
    origin = PrunedFrom(parent=begun, what="weights", keep=0.5, rounds=1, round=1)
    slim = ledger.add_pruned(read(ledger.candidate(begun).line), 100, origin, RungResult(16, 0.86, 1.0))
    source = repeater(ledger, settings)
    assert source.take(slim) is None
    assert take(source, begun).candidate == begun, "and sets no standard"


def test_below_a_ceiling_the_best_is_the_best_that_is_of_use(
    ledger: Ledger, settings: StudySettings, by_size: list[Candidate]
) -> None:
    best_of_smaller, larger = by_size[2 * EVERY - 1], by_size[2 * EVERY :]
    source = repeater(ledger, settings)
    assert source.take(best_of_smaller.number) is None, "worse than the larger ones"
    source.aims, source.finished = (best_of_smaller.parameters,), EVERY
    due = source.next_job()
    assert due is not None
    assert due.candidate == best_of_smaller.number
    assert source.take(larger[-1].number) is None


def test_of_several_budgets_the_best_of_each_comes_before_the_next_best_of_any(
    ledger: Ledger, settings: StudySettings, by_size: list[Candidate]
) -> None:
    best_of_smaller, best = by_size[2 * EVERY - 1], by_size[-1]
    source = repeater(ledger, settings)
    source.aims = (best_of_smaller.parameters, best.parameters)
    taken = []
    for _ in range(2 * RUNS - 2):
        source.finished = EVERY
        job = source.next_job()
        assert job is not None
        taken.append(job.candidate)
        source.tell(job, done(ledger.candidate(job.candidate).rungs[16]))
        finished(ledger, settings, *[0.10] * EVERY)
    assert sorted(taken) == sorted(2 * [best.number] + 2 * [best_of_smaller.number])
