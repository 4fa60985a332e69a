"""The table that is committed, the world fitted to it, and searches in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.tabular.compare import row
from benchmarks.tabular.simulator import Course, Method, Truth, ours, plain, threshold
from benchmarks.tabular.table import FILE, IMAGES, RUNGS, SEEDS, load
from benchmarks.tabular.world import World
from search.samplers import SAMPLERS
from space.identity import identity

BUDGET = 2000


@pytest.fixture(scope="module")
def world() -> World:
    table = load()
    every = slice(None, None, 8)
    few = replace(
        table,
        architectures=table.architectures[every],
        parameters=table.parameters[every],
        wrong=table.wrong[every],
        is_random=table.is_random[every],
    )
    return World.fit(few)


def test_the_table_has_different_networks_with_their_own_counts() -> None:
    table = load()
    assert len(table) >= 1500
    assert len({identity(one) for one in table.architectures}) == len(table)
    assert [one.totals.parameters for one in table.architectures] == table.parameters.tolist()
    assert table.parameters.max() <= 20_000
    assert FILE.stat().st_size < 5_000_000


def test_every_network_was_trained_at_every_rung_with_every_seed() -> None:
    wrong = load().wrong
    assert wrong.shape[1:] == (len(RUNGS), SEEDS)
    assert wrong.min() >= 0
    assert wrong.max() <= IMAGES
    means = wrong.mean(axis=(0, 2))
    assert list(means) == sorted(means, reverse=True), "longer trainings are better"


def test_a_network_is_the_same_in_every_search_and_its_trainings_differ(world: World) -> None:
    network = load().architectures[7]
    one, other = Truth(world, 1), Truth(world, 2)
    assert one.true(network) == other.true(network)
    found = [one.train(network, 16) for _ in range(200)]
    assert len(set(found)) > 5
    assert abs(np.mean(found) - one.true(network)) < 0.01


def test_the_world_is_like_the_table(world: World) -> None:
    table = load()
    assert world.explained > 0.4
    few = slice(3, None, 40)
    true = world.means(list(table.architectures[few]))[:, -1]
    counted = np.log(table.wrong[few, -1] + 0.5).mean(axis=1)
    assert np.corrcoef(true, counted)[0, 1] > 0.6


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_of_ours_spends_its_epochs_within_the_budget(world: World, sampler: str) -> None:
    course = ours(Method(sampler=sampler), Truth(world, 3), BUDGET, 3, 120)
    assert 0 < course.largest <= BUDGET
    assert course.epochs == sorted(course.epochs)
    assert 16 <= course.epochs[0] <= course.epochs[-1] < 120 + 4 * 16
    assert course.after(120)[1] > 0.5


def test_so_does_what_a_user_would_write(world: World) -> None:
    course = plain(Truth(world, 3), BUDGET, 3, 200)
    assert 0 < course.largest <= BUDGET
    assert course.epochs[0] == 16
    assert all(one <= other for one, other in zip(course.claimed, course.claimed[1:], strict=False))


def test_a_goal_is_reached_when_the_best_truly_is_as_good() -> None:
    course = Course(epochs=[16, 40, 60], claimed=[0.9, 0.99, 0.97], true=[0.9, 0.94, 0.96])
    assert course.until(0.93) == 40
    assert course.until(0.97) == np.inf
    assert course.after(15) == (0.0, 0.0)
    assert course.after(59) == (0.99, 0.94)
    assert course.after(1000) == (0.97, 0.96)
    line = row([course, course], 0.95, 60)
    assert line == "95.00% | 60 (60 to 60) | 0 of 2 | 96.000% ± 0.000% | 1.000%"


def test_one_in_a_hundred_reaches_the_threshold(world: World) -> None:
    small, large = threshold(world, BUDGET), threshold(world, 20_000)
    assert 0.8 < small <= large < 1
