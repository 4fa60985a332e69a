"""Networks that hypothesis draws, with weights and running statistics as a training might leave them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn

from search.export.exportable import Exportable
from space.architecture import Architecture
from space.building import build
from space.candidate import Candidate, State, Verification
from space.notation import write
from tests.space.strategies import architectures

LINE = "1x8x8-8c3pnr-8c3rnd0.1-P2-12c3pbnr-P3-F-16frn-10fb"
"""Batch norms before and after ReLU and on flat features, both kinds of padding, two pools, dropout, dense layers."""

Make = Callable[..., Exportable]
"""Makes an Exportable of a line and its weights; see the fixture of that name."""


def with_weights(architecture: Architecture, seed: int) -> nn.Sequential:
    """A network whose batch norms have seen something: no running statistic is what it was at first."""
    torch.manual_seed(seed)
    network = build(architecture)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return network.eval()


@st.composite
def exportables(draw: st.DrawFn) -> Exportable:
    """Any architecture with such weights."""
    architecture = draw(architectures())
    line, channels = write(architecture), architecture.input[0]
    run = Verification(place=0, seed=0, accuracy=0.5, confusion=(), epochs=1, seconds=1.0)
    return Exportable(
        study="study",
        settings={"budgets": [1], "target": 0.5},
        conditions={},
        candidate=Candidate(
            number=0,
            state=State.COMPLETE,
            origin="sampler",
            line=line,
            parameters=architecture.totals.parameters,
            verifications=(run,),
        ),
        verification=run,
        state=with_weights(architecture, draw(st.integers(0, 99))).state_dict(),
        dataset="drawn",
        checksum="0" * 64,
        mean=(0.3, 0.4, 0.5)[:channels],
        deviation=(0.2, 0.3, 0.4)[:channels],
        takes_bytes=draw(st.booleans()),
    )


def noise(model: Exportable, count: int) -> NDArray[np.uint8]:
    """Images of the shape that a network takes."""
    shape = (count, *model.architecture.input)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def assert_alike(found: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    """Equal but for the rounding of float32 sums in another order."""
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * (1 + float(np.abs(expected).max())))
