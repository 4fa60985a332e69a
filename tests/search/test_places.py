from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.places import MOST_SHARING, Places, gpu_share
from tests.space.strategies import PROPERTY

GIB = 2**30
Node = Mapping[str, float]

LAPTOP: Node = {"CPU": 4.0, "memory": 8e9, "node:127.0.0.1": 1.0}
BOX: Node = {"CPU": 16.0, "GPU": 2.0}
HEAD: Node = {"memory": 8e9}


def counts(places: Places, *nodes: Node) -> tuple[int, int]:
    """On GPUs, and on cores alone."""
    found = places.capacity(nodes)
    return found["gpu"], found["cpu"]


def test_without_gpus_there_is_one_training_for_its_cores() -> None:
    assert counts(Places(), LAPTOP) == (0, 4)
    assert counts(Places(), LAPTOP, BOX, HEAD) == (0, 20)
    assert counts(Places(cpus=3), LAPTOP, BOX) == (0, 1 + 5)  # each on one node
    assert counts(Places(cpus=0.5), LAPTOP) == (0, 8)


def test_gpus_that_are_to_be_left_alone_are() -> None:
    assert counts(Places(gpus=0, cpu_nodes=True), BOX) == (0, 16)


def test_a_fraction_shares_a_gpu() -> None:
    assert counts(Places(gpus=1), BOX) == (2, 0)
    assert counts(Places(gpus=0.25), BOX) == (8, 0)
    assert counts(Places(gpus=0.25), BOX, BOX) == (16, 0)
    assert counts(Places(gpus=2), BOX) == (1, 0)


def test_trainings_on_gpus_need_their_cores_as_well() -> None:
    assert counts(Places(cpus=4, gpus=0.25), BOX) == (4, 0)
    assert counts(Places(gpus=0.25), {"GPU": 2.0}, BOX) == (8, 0)


def test_cores_train_beside_gpus_only_if_asked_to() -> None:
    assert counts(Places(gpus=0.5), BOX, LAPTOP) == (4, 0)
    assert counts(Places(gpus=0.5, cpu_nodes=True), BOX, LAPTOP) == (4, 12 + 4)
    assert counts(Places(gpus=0.5, cpus=5, cpu_nodes=True), BOX, LAPTOP) == (3, 0)


def test_where_no_node_has_a_gpu_cores_train() -> None:
    assert counts(Places(gpus=0.5), LAPTOP, HEAD) == (0, 4)


@pytest.mark.parametrize(("most", "expected"), [(1, (1, 0)), (4, (4, 0)), (6, (4, 2)), (20, (4, 16)), (99, (4, 16))])
def test_the_most_is_kept_gpus_first(most: int, expected: tuple[int, int]) -> None:
    assert counts(Places(gpus=0.5, cpu_nodes=True, most=most), BOX, LAPTOP) == expected


@pytest.mark.parametrize("nodes", [[], [HEAD], [{"CPU": 1.0}]])
def test_one_waits_where_there_is_room_for_none(nodes: list[Node]) -> None:
    for gpus in (0.0, 0.5):
        assert counts(Places(cpus=2, gpus=gpus, awaited="cpu"), *nodes) == (0, 1)
    assert counts(Places(cpus=2, gpus=0.5, awaited="gpu"), *nodes) == (1, 0)
    assert counts(Places(cpus=2, gpus=0.5, cpu_nodes=True, most=1, awaited="gpu"), *nodes) == (1, 0)


@pytest.mark.parametrize("share", range(1, 33))
def test_a_share_that_is_no_binary_fraction_fills_gpus_and_cores_exactly(share: int) -> None:
    assert counts(Places(gpus=1 / share), {"CPU": 999.0, "GPU": 1.0}) == (share, 0)
    assert counts(Places(gpus=1 / share), {"CPU": 999.0, "GPU": 7.0}) == (7 * share, 0)
    assert counts(Places(cpus=1 / share), {"CPU": 1.0}) == (0, share)
    assert counts(Places(cpus=1 / share), {"CPU": 7.0}) == (0, 7 * share)


@pytest.mark.parametrize(("gpus", "expected"), [(0.4, 4), (0.3, 6), (0.6, 2), (0.1, 20)])
def test_a_training_that_shares_a_gpu_is_on_one_of_them(gpus: float, expected: int) -> None:
    """As Ray places it: what is left on two GPUs does not make room for one more."""
    assert counts(Places(gpus=gpus), {"CPU": 99.0, "GPU": 2.0}) == (expected, 0)


CORES = st.integers(1, 80).map(lambda tenths: tenths / 10)
SHARES = st.one_of(st.just(0.0), st.integers(1, 12).map(lambda share: 1 / share), st.integers(1, 4).map(float))
NODES = st.lists(
    st.fixed_dictionaries(
        {}, optional={"CPU": st.integers(0, 64).map(float), "GPU": st.integers(0, 8).map(float), "memory": st.just(1e9)}
    ),
    max_size=6,
)
PLACES = st.builds(
    Places,
    cpus=CORES,
    gpus=SHARES,
    cpu_nodes=st.booleans(),
    most=st.one_of(st.none(), st.integers(1, 20)),
    awaited=st.sampled_from(["gpu", "cpu"]),
)


def fill(node: Node, asked: Node) -> tuple[int, Node]:
    """How many that ask for this fit on a node one after another, and what is left of it then."""
    count, left = 0, dict(node)
    while all(left.get(name, 0.0) >= amount - 1e-6 for name, amount in asked.items()):
        count += 1
        left |= {name: left[name] - amount for name, amount in asked.items()}
    return count, left


@PROPERTY
@given(PLACES, NODES)
def test_what_is_promised_fits_into_the_nodes(places: Places, nodes: list[Node]) -> None:
    found = places.capacity(nodes)
    on_gpus = [fill(node, places.resources("gpu")) if places.gpus else (0, node) for node in nodes]
    on_cores = [fill(left, places.resources("cpu"))[0] for _, left in on_gpus]
    assert found.total() >= 1
    if found.total() > 1:  # one alone may be waiting for its node
        assert 0 <= found["gpu"] <= sum(count for count, _ in on_gpus)
        assert 0 <= found["cpu"] <= sum(on_cores)


@PROPERTY
@given(PLACES, NODES)
def test_the_most_changes_nothing_but_the_number(places: Places, nodes: list[Node]) -> None:
    found, free = places.capacity(nodes), replace(places, most=None).capacity(nodes)
    assert found.total() == (free.total() if places.most is None else min(free.total(), places.most))
    assert found["gpu"] == min(free["gpu"], found.total())


@PROPERTY
@given(PLACES, NODES, st.data())
def test_the_order_of_nodes_does_not_matter(places: Places, nodes: list[Node], data: st.DataObject) -> None:
    assert places.capacity(data.draw(st.permutations(nodes))) == places.capacity(nodes)


def test_each_kind_asks_for_what_it_takes_up() -> None:
    places = Places(cpus=2, gpus=0.25)
    assert places.resources("gpu") == {"CPU": 2, "GPU": 0.25}
    assert places.resources("cpu") == {"CPU": 2}


@PROPERTY
@given(st.integers(1, 200 * GIB), st.integers(0, 50 * GIB), st.floats(0.01, 128))
def test_a_gpu_is_shared_by_whole_trainings_that_fit_and_can_be_driven(memory: int, needed: int, cores: float) -> None:
    share = gpu_share(memory, needed, cores)
    sharing = round(1 / share)
    assert share == 1 / sharing
    assert 1 <= sharing <= MOST_SHARING
    if sharing > 1:
        assert sharing * needed < memory
        assert sharing <= cores


@pytest.mark.parametrize(
    ("memory", "needed", "cores", "sharing"),
    [
        (80 * GIB, GIB, 16, MOST_SHARING),
        (80 * GIB, GIB, 3.9, 3),
        (8 * GIB, 2 * GIB, 16, 3),  # the fourth would fill it to the brim
        (2 * GIB, 3 * GIB, 16, 1),
        (80 * GIB, GIB, 0.5, 1),
        (80 * GIB, 0, 16, MOST_SHARING),
    ],
)
def test_a_gpu_is_shared_by_memory_then_cores(memory: int, needed: int, cores: float, sharing: int) -> None:
    assert gpu_share(memory, needed, cores) == 1 / sharing
