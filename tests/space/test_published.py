from __future__ import annotations

import pytest

from space.building import build
from space.notation import write
from space.published import BY_NAME, PUBLISHED

COUNTS = {
    "reduce-baseline": 591_786,
    "reduce-1": 3_418,
    "reduce-2": 3_130,
    "article-1": 7_968,
    "article-2": 5_382,
    "article-3": 3_090,
    "eip-1": 194_884,
    "eip-2": 10_926,
    "eip-3": 11_118,
    "eip-4": 11_118,
    "steps-1": 8_930,
    "steps-2": 11_146,
    "steps-3": 7_892,
    "optimization": 13_402,
}
ACCURACIES = {
    "reduce-baseline": 0.9859,
    "reduce-1": 0.9793,
    "reduce-2": 0.9732,
    "article-1": 0.9924,
    "article-2": 0.9947,
    "article-3": 0.99,
    "eip-1": 0.9922,
    "eip-2": 0.9917,
    "eip-3": 0.9941,
    "eip-4": 0.9952,
    "steps-1": 0.9918,
    "steps-2": 0.9908,
    "steps-3": 0.9945,
    "optimization": 0.9947,
}
WITH_BUFFERS = {"article-1": 8_060, "article-2": 5_490, "article-3": 3_170, "eip-3": 11_310}
"""Counts as some of the texts give them: running means and variances of batch norm included."""


@pytest.mark.parametrize(("name", "parameters"), COUNTS.items())
def test_a_published_network_has_its_published_parameters(name: str, parameters: int) -> None:
    network = BY_NAME[name]

    assert network.parameters == parameters
    assert network.architecture.totals.parameters == parameters
    assert sum(weights.numel() for weights in build(network.architecture).parameters()) == parameters


@pytest.mark.parametrize(("name", "values"), WITH_BUFFERS.items())
def test_running_statistics_are_what_is_counted_besides(name: str, values: int) -> None:
    network = build(BY_NAME[name].architecture)
    buffers = sum(buffer.numel() for buffer in network.buffers() if buffer.ndim == 1)

    assert BY_NAME[name].parameters + buffers == values


def test_all_published_networks_are_there_once() -> None:
    assert {network.name: network.accuracy for network in PUBLISHED} == ACCURACIES
    assert len(PUBLISHED) == len(BY_NAME) == len(COUNTS)


def test_they_tell_ten_digits_of_mnist_apart() -> None:
    for network in PUBLISHED:
        assert (network.architecture.input, network.architecture.classes) == ((1, 28, 28), 10)


def test_their_lines_are_written_as_we_write_them() -> None:
    for network in PUBLISHED:
        assert write(network.architecture) == network.line


@pytest.mark.parametrize(
    ("name", "features"), [("reduce-baseline", 4_608), ("reduce-1", 64), ("reduce-2", 64), ("article-1", 350)]
)
def test_flattened_features_of_the_dense_heads(name: str, features: int) -> None:
    assert features in [row.shape[0] for row in BY_NAME[name].architecture.rows() if len(row.shape) == 1]


def test_article_2_costs() -> None:
    totals = BY_NAME["article-2"].architecture.totals

    # 4x26x26x9 + 8x24x24x36 + 16x10x10x72 + 16x8x8x144 + 10x6x6x144
    assert totals.macs == 24_336 + 165_888 + 115_200 + 147_456 + 51_840
    assert totals.peak_activations == 4 * 26 * 26 + 8 * 24 * 24
    assert totals.receptive_field == 18
