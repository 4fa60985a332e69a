from __future__ import annotations

from math import isfinite, log

import pytest
from hypothesis import given

from space.features import FEATURES, features
from space.notation import read
from space.ranges import Choices
from space.search_space import SearchSpace
from tests.space.strategies import PROPERTY, chosen


def test_each_says_what_its_name_says() -> None:
    network = read("1x28x28-6c5brn-8c3brnd0.1-P2-4c1r-12c3pr-P2n-Fd0.05-10f")
    found = dict(zip(FEATURES, features(network), strict=True))
    assert found == {
        "log parameters": pytest.approx(log(network.totals.parameters)),
        "log MACs": pytest.approx(log(network.totals.macs)),
        "spatial convolutions": 3,
        "1x1 convolutions": 1,
        "separable convolutions": 0,
        "pools": 2,
        "convolutions before the first pool": 2,
        "log side of the last convolution's map": pytest.approx(log(11)),
        "log receptive field": pytest.approx(log(1 + 4 + 2 + 1 + 2 * 2 + 2)),
        "log filters of the first convolution": pytest.approx(log(6)),
        "log filters of the last hidden convolution": pytest.approx(log(4)),
        "log filters of the narrowest hidden convolution": pytest.approx(log(4)),
        "mean log filters of hidden convolutions": pytest.approx((log(6) + log(8) + log(4)) / 3),
        "kernel of the first convolution": 5,
        "mean kernel": 3,
        "norms a convolution": 0.75,
        "ReLUs a convolution": 1,
        "norm before ReLU": False,
        "norm after ReLU": True,
        "share of padded convolutions": 0.25,
        "share of convolutions with a bias": 0.5,
        "dropout in all": pytest.approx(0.15),
        "flattened": True,
    }


def test_a_separable_convolution_is_as_large_as_its_depthwise_part() -> None:
    network = read("1x28x28-6c5nr-P2-dw3p-8c1bnr-16c1nr-dw3-10c1-G")
    found = dict(zip(FEATURES, features(network), strict=True))
    assert found["spatial convolutions"] == 3
    assert found["1x1 convolutions"] == 1
    assert found["separable convolutions"] == 2
    assert found["mean kernel"] == 3
    assert found["share of padded convolutions"] == 0.25
    assert found["share of convolutions with a bias"] == 0.25
    assert found["log filters of the last hidden convolution"] == pytest.approx(log(16))


@PROPERTY
@given(chosen())
def test_every_network_of_a_space_has_all_of_them(drawn: tuple[SearchSpace, Choices]) -> None:
    space, choices = drawn
    found = features(space.architecture(choices))
    assert len(found) == len(FEATURES)
    assert all(map(isfinite, found))
