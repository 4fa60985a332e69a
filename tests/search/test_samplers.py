from __future__ import annotations

import random
from collections import Counter

import pytest

from search.evolution import CHANGES, ELITE, POPULATION, Genetic, Mutation
from search.ledger import Ledger, RungResult
from search.proposer import STARTUP, Proposer
from search.samplers import SAMPLERS, make
from search.settings import StudySettings
from space.ranges import Choices, Range, Value
from workers.job import Job


def trained(ledger: Ledger, settings: StudySettings, choices: dict[str, Value], accuracy: float) -> None:
    number = ledger.begin(settings.space, choices, 10**6)
    ledger.tell_complete(number, RungResult(16, accuracy, 1.0))


@pytest.mark.parametrize("name", SAMPLERS)
def test_each_proposes_a_value_of_every_range(ledger: Ledger, settings: StudySettings, name: str) -> None:
    rng, sampler = random.Random(3), make(name, settings.space, 7, settings.budget)
    for place in range(13):  # of which Optuna's GP draws the first ten at random
        found = ledger.sample(sampler, settings.space)
        assert found.keys() == {dimension.name for dimension in settings.space.dimensions}
        for dimension in settings.space.dimensions:
            value = found[dimension.name]
            if isinstance(dimension, Range):
                assert isinstance(value, int)
                assert dimension.low <= value <= dimension.high
            else:
                assert value in dimension.values
        if place % 4 == 0:
            ledger.reject(settings.space, found, 10)
        trained(ledger, settings, settings.space.random(rng), rng.random())


@pytest.mark.parametrize("name", SAMPLERS)
def test_each_fills_a_study_with_different_networks_within_the_budget(
    ledger: Ledger, settings: StudySettings, name: str
) -> None:
    count = STARTUP + 1
    proposer = Proposer(ledger, settings, make(name, settings.space, 7, settings.budget), count, cold_start=True)
    rng, lines = random.Random(5), set()
    while proposals := proposer.propose():
        (found,) = proposals
        assert not isinstance(found, Job)
        assert found.parameters <= settings.budget
        lines.add(found.line)
        ledger.tell_complete(found.number, RungResult(16, rng.random(), 1.0))
    assert len(lines) == count


@pytest.mark.parametrize("name", SAMPLERS)
def test_equal_seeds_propose_the_same(ledger: Ledger, settings: StudySettings, name: str) -> None:
    rng = random.Random(5)
    for _ in range(11):
        trained(ledger, settings, settings.space.random(rng), rng.random())
    one, same, other = (
        ledger.sample(make(name, settings.space, seed, settings.budget), settings.space) for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other or name == "gp", "the best by a Gaussian process is the best by any"


def test_evolution_changes_one_choice_of_a_good_recent_network(ledger: Ledger, settings: StudySettings) -> None:
    rng, sampler = random.Random(1), make("evolution", settings.space, 1, settings.budget)
    grown_old = settings.space.random(rng)
    trained(ledger, settings, grown_old, 0.99)
    population = [settings.space.random(rng) for _ in range(POPULATION)]
    for place, choices in enumerate(population):
        trained(ledger, settings, choices, place / 100)
    parents: Counter[int] = Counter()
    for _ in range(40):
        child = ledger.sample(sampler, settings.space)
        assert settings.space.architecture(child) not in map(settings.space.architecture, population)
        changed = [sum(child[name] != one[name] for name in child) for one in (*population, grown_old)]
        assert min(changed) == 1
        parents[changed.index(1)] += 1
    assert POPULATION not in parents, "the oldest is not a parent any more, however good"
    assert sum(count for place, count in parents.items() if place >= POPULATION // 2) >= 38, "the best of ten"


def test_evolution_takes_what_got_farther_for_better(ledger: Ledger, settings: StudySettings) -> None:
    rng, sampler = random.Random(1), make("evolution", settings.space, 1, settings.budget)
    farther = settings.space.random(rng)
    trained(ledger, settings, farther, 0.5)
    for _ in range(5):
        number = ledger.begin(settings.space, settings.space.random(rng), 10**6)
        ledger.tell_pruned(number, RungResult(1, 0.9, 1.0), "not good enough")
    child = ledger.sample(sampler, settings.space)
    assert sum(child[name] != farther[name] for name in child) == 1


def test_generations_are_counted_off_in_the_order_of_the_study(ledger: Ledger, settings: StudySettings) -> None:
    sampler = make("nsga2", settings.space, 1, settings.budget)
    assert isinstance(sampler, Genetic)
    size = sampler.population_size
    assert size is not None
    best = settings.space.random(random.Random(0))
    rng = random.Random(1)
    for place in range(size):
        trained(ledger, settings, best if place == 3 else settings.space.random(rng), 1.0 if place == 3 else 0.1)
        ledger.reject(settings.space, settings.space.random(rng), 10)
    children = [ledger.sample(sampler, settings.space) for _ in range(20)]
    likeness = [sum(child[name] == best[name] for name in child) for child in children]
    strangers = [sum(other[name] == best[name] for name in best) for other in map(settings.space.random, [rng] * 20)]
    assert max(likeness) > max(strangers)


def test_an_unknown_name_is_refused(settings: StudySettings) -> None:
    with pytest.raises(ValueError, match=r"sampler must be one of guided, mixed, tpe, .*random, but got cma"):
        make("cma", settings.space, 1, settings.budget)


def differing(one: Choices, others: list[Choices]) -> list[int]:
    """How many choices differ from each of the others."""
    return [sum(one[name] != other[name] for name in one) for other in others]


def test_a_mutation_changes_a_few_choices_of_one_of_the_best(ledger: Ledger, settings: StudySettings) -> None:
    rng, sampler = random.Random(1), Mutation(settings.space, 1)
    networks: list[Choices] = [settings.space.random(rng) for _ in range(3 * ELITE)]
    for place, choices in enumerate(networks):
        trained(ledger, settings, dict(choices), place / 100)
    changed = Counter[int]()
    for _ in range(30):
        child = ledger.sample(sampler, settings.space)
        assert settings.space.architecture(child) not in map(settings.space.architecture, networks)
        distances = differing(child, networks)
        assert distances.index(min(distances)) >= 2 * ELITE
        changed[min(distances)] += 1
    assert set(changed) == set(range(1, CHANGES + 1))


def test_mixed_takes_turns(ledger: Ledger, settings: StudySettings) -> None:
    rng, sampler = random.Random(1), make("mixed", settings.space, 1, settings.budget)
    networks: list[Choices] = [settings.space.random(rng) for _ in range(30)]
    for place, choices in enumerate(networks):
        trained(ledger, settings, dict(choices), place / 100)
    distances = [min(differing(ledger.sample(sampler, settings.space), networks)) for _ in range(10)]
    assert max(distances[1::2]) <= CHANGES < min(distances[::2])
