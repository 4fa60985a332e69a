"""What hypothesis draws: valid architectures, spaces, and choices of a space."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from space.architecture import Architecture
from space.layers import (
    BatchNorm,
    Conv,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
    Linear,
    MaxPool,
    ReLU,
    Shape,
)
from space.ranges import Range, Value
from space.search_space import SearchSpace

PROPERTY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For every property test: a busy machine is no failure."""

SPACES = (
    SearchSpace((1, 28, 28), 10),
    SearchSpace((1, 8, 8), 10),
    SearchSpace((3, 32, 32), 10),
    SearchSpace((1, 13, 9), 3),
    SearchSpace((2, 17, 22), 4),
    SearchSpace((1, 6, 6), 2),
)
"""Images of MNIST, digits and CIFAR, odd and oblong ones, and the smallest."""


def images() -> st.SearchStrategy[tuple[int, int, int]]:
    return st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 12))


def spaces() -> st.SearchStrategy[SearchSpace]:
    sides = st.integers(6, 34)
    drawn = st.builds(SearchSpace, st.tuples(st.integers(1, 3), sides, sides), st.integers(1, 12))
    return st.sampled_from(SPACES) | drawn


def _elementwise() -> st.SearchStrategy[Layer]:
    rates = st.sampled_from((0.0, 0.05, 0.1)) | st.floats(0, 1, exclude_max=True)
    return st.just(BatchNorm()) | st.just(ReLU()) | st.builds(Dropout, rates)


@st.composite
def _convolutions(draw: st.DrawFn, shape: Shape) -> Conv | DepthwiseConv:
    side = min(shape[1:])
    kernel = draw(st.integers(1, 4))
    fewest = max(0, -((side - kernel) // 2))
    padding = draw(st.integers(fewest, max(fewest, min(kernel - 1, 2))))
    bias = draw(st.booleans())
    return draw(
        st.builds(Conv, st.integers(1, 5), st.just(kernel), st.just(padding), st.just(bias))
        | st.just(DepthwiseConv(kernel, padding, bias))
    )


def _on_maps(shape: Shape) -> st.SearchStrategy[Layer]:
    pools = st.builds(MaxPool, st.integers(1, min(3, *shape[1:])))
    return st.one_of(_elementwise(), _convolutions(shape), pools)


def _on_features() -> st.SearchStrategy[Layer]:
    return _elementwise() | st.builds(Linear, st.integers(1, 12), st.booleans())


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    """Up to seven layers on feature maps, a way to flatten them, and up to three layers on features."""
    image = draw(images())
    layers: list[Layer] = []
    shape: Shape = image
    for _ in range(draw(st.integers(0, 7))):
        layers.append(draw(_on_maps(shape)))
        shape = layers[-1].output(shape)
    layers.append(draw(st.sampled_from((GlobalAveragePool(), Flatten()))))
    layers.extend(draw(st.lists(_on_features(), max_size=3)))
    return Architecture(image, tuple(layers))


def choices(space: SearchSpace) -> st.SearchStrategy[dict[str, Value]]:
    """A value for every range, from anywhere in it."""
    return st.fixed_dictionaries(
        {
            dimension.name: st.integers(dimension.low, dimension.high)
            if isinstance(dimension, Range)
            else st.sampled_from(dimension.values)
            for dimension in space.dimensions
        }
    )


@st.composite
def chosen(draw: st.DrawFn) -> tuple[SearchSpace, dict[str, Value]]:
    """A space with choices of it."""
    space = draw(spaces())
    return space, draw(choices(space))
