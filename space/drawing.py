"""How choices become an architecture: stages of convolutions, pools and transitions between them, and a head."""

from __future__ import annotations

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
from space.ranges import Choices

DEPTH = 3
"""Most convolutions of a stage."""
GROWING = range(2, DEPTH + 1)
"""Places in a stage whose filters are chosen as growth over the place before."""
FILTERS = 2, 64
"""The fewest and the most of a convolution; separable ones have so few weights that they can be wide."""
_SMALLEST_MAP = 3
"""A convolution without padding that would leave a map of fewer pixels a side is padded instead."""


def growth_name(stage: int, place: int) -> str:
    """The range of one convolution's growth over the one before."""
    return f"growth{stage}.{place}"


def is_growth(name: str) -> bool:
    """Whether a range is a convolution's growth over the one before, and not its number of filters."""
    return name.startswith("growth")


class Drawing:
    """An architecture while it is drawn: the layers so far and the shape that they leave."""

    def __init__(self, image: Shape, classes: int, stages: int, choices: Choices) -> None:
        self.image = image
        self.classes = classes
        self.stages = stages
        self.choices = choices
        self.layers: list[Layer] = []
        self.shape = image
        self.awaits_norm = False
        """Whether a convolution's batch norm is still to come, because it belongs after the pool."""
        self.chosen: dict[str, int] = {}
        """Place among the layers of each convolution whose filters are chosen, by the range that says how many."""

    def architecture(self) -> Architecture:
        stages = range(1, self.stages + 1)
        last = max(stage for stage in stages if self.whole(f"depth{stage}"))
        for stage in stages[:last]:
            self.stage(stage, last=stage == last)
        if self.choices["head"] == "bottleneck conv":
            self.block(self.classes, 1)
        self.settle_norm()
        match self.choices["head"]:
            case "average":
                self.average_head()
            case "dense":
                self.dense_head()
            case _:
                self.conv_head()
        return Architecture(self.image, tuple(self.layers))

    def whole(self, name: str) -> int:
        return int(self.choices[name])

    def side(self) -> int:
        return min(self.shape[1:])

    def add(self, *layers: Layer) -> None:
        for layer in layers:
            self.layers.append(layer)
            self.shape = layer.output(self.shape)

    def stage(self, stage: int, *, last: bool) -> None:
        """Convolutions, then a pool and a transition; without convolutions of its own a stage is at most its pool."""
        depth = self.whole(f"depth{stage}")
        transition = "none" if last or depth == 0 else self.choices["transition"]
        for name, filters in list(self.widths(stage).items())[:depth]:
            self.block(filters, self.whole(f"kernel{stage}"), name, separable=self.is_separable(stage))
            if stage >= self.whole("dropout_from"):
                self.drop()
        if transition == "before pool":
            self.block(self.whole(f"transition{stage}"), 1, f"transition{stage}")
        if stage == 1 or self.choices[f"pool{stage}"]:
            self.pool()
        if transition == "after pool":
            self.block(self.whole(f"transition{stage}"), 1, f"transition{stage}")
        elif transition == "after pool, linear":
            self.settle_norm()
            self.conv(self.whole(f"transition{stage}"), 1, f"transition{stage}")

    def widths(self, stage: int) -> dict[str, int]:
        """Filters of each convolution of a stage: the first as chosen, the others by growth over the one before."""
        filters = self.whole(f"width{stage}")
        found = {f"width{stage}": filters}
        for place in GROWING:
            filters = _possible(filters + self.whole(growth_name(stage, place)))
            found[growth_name(stage, place)] = filters
        return found

    def is_separable(self, stage: int) -> bool:
        """Whether convolutions of a stage are separable ones; the head counts as one stage more.

        The first of the network never is: of one channel nothing can be separated.
        """
        return bool(self.layers) and 0 < self.whole("separable_from") <= stage

    def conv(self, filters: int, kernel: int, name: str | None = None, *, separable: bool = False) -> None:
        """A convolution, padded if the space says so or if it would leave too small a map.

        `name` is the range that its filters are chosen from, if they are chosen. One of 1x1 is not separated.
        """
        padding = 0
        if self.choices["padding"] or self.side() - kernel + 1 < _SMALLEST_MAP:
            kernel |= 1  # only odd kernels can keep the map's size
            padding = kernel // 2
        if separable and kernel > 1:
            self.add(DepthwiseConv(kernel, padding))
            kernel, padding = 1, 0
        if name is not None:
            self.chosen[name] = len(self.layers)
        self.add(Conv(filters, kernel, padding, bool(self.choices["bias"])))

    def block(self, filters: int, kernel: int, name: str | None = None, *, separable: bool = False) -> None:
        """A convolution, as `conv` takes it, with its batch norm and ReLU."""
        self.settle_norm()
        self.conv(filters, kernel, name, separable=separable)
        self.activate()

    def activate(self) -> None:
        """ReLU with its batch norm: before, after, or still to come where it belongs after the pool."""
        norm = self.choices["norm"]
        if norm == "before relu":
            self.add(BatchNorm())
        self.add(ReLU())
        if norm == "after relu":
            self.add(BatchNorm())
        self.awaits_norm = norm in ("after pool", "after first pool")

    def settle_norm(self) -> None:
        """The batch norm that was to follow a pool, where none came."""
        if self.awaits_norm:
            self.add(BatchNorm())
        self.awaits_norm = False

    def drop(self) -> None:
        rate = float(self.choices["dropout"])
        if rate:
            self.settle_norm()
            self.add(Dropout(rate))

    def pool(self) -> None:
        """Max pool of 2x2, if that leaves at least 2x2, with the batch norm that belongs after it."""
        if self.side() < 4:
            return
        again = isinstance(self.layers[-1], BatchNorm) and self.choices["norm"] == "after pool"
        self.add(MaxPool(2))
        if self.awaits_norm or again:
            self.add(BatchNorm())
        self.awaits_norm = False

    def dense_head(self) -> None:
        self.add(Flatten())
        self.drop()
        self.add(Linear(self.classes, bool(self.choices["bias"])))

    def average_head(self) -> None:
        self.conv(self.classes, self.whole("head_kernel"), separable=self.is_separable(self.stages + 1))
        self.finish()
        self.add(GlobalAveragePool())

    def conv_head(self) -> None:
        """A convolution as large as the map."""
        self.add(Conv(self.classes, self.side(), 0, bool(self.choices["bias"])))
        self.finish()
        self.add(Flatten() if self.shape[1:] == (1, 1) else GlobalAveragePool())

    def finish(self) -> None:
        """What follows the convolution to one channel a class: nothing, batch norm, or all that a block has."""
        if self.choices["finish"] == "block":
            self.activate()
            self.settle_norm()
            self.drop()
        elif self.choices["finish"] == "norm" and self.choices["norm"] != "none":
            self.add(BatchNorm())


def _possible(filters: int) -> int:
    """`filters`, or what comes nearest to it of what a convolution may have."""
    fewest, most = FILTERS
    return max(fewest, min(most, filters))
