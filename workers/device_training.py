"""One complete training that does not wait for its device: static steps, on a GPU as CUDA graphs.

The images stay on the device as bytes. A stretch of steps is augmented there in one go, then every step is one launch.
The host draws the next epoch meanwhile, and waits once an epoch: for its mean loss. The result is that of
workers.training.fit to rounding.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from workers.augmentation import affine
from workers.course import Course, TrainingError, finite, mean_loss
from workers.feed import CHECKED, Epoch, Feed, draw, shared_feed
from workers.graphs import captured
from workers.recipe import Recipe
from workers.schedule import steps_per_epoch
from workers.static_step import StaticCheck, StaticStep

if TYPE_CHECKING:
    from workers.training import Batches

_MOST = 4
"""Networks whose steps are kept for the next training of the same network: the next rung, fold or seed."""


def fit(
    network: nn.Sequential,
    data: Batches,
    recipe: Recipe,
    generator: torch.Generator,
    *,
    deadline: float = math.inf,
    masks: Mapping[str, Tensor] | None = None,
) -> Course:
    """Train `network` as workers.training.fit does, on any device; `deadline` is looked at before each epoch."""
    steps = prepared(network, data, recipe, masked=bool(masks))
    steps.begin(network, masks or {})
    epochs = (draw(data.train, recipe, generator, number) for number in range(recipe.epochs))
    losses = tuple(_run(steps, data, epochs, deadline))
    accuracy = finite(steps.accuracy(data)) if len(data.validation) else None
    steps.hand_over(network)
    return Course(losses=losses, accuracy=accuracy)


def _run(steps: Prepared, data: Batches, epochs: Iterator[Epoch], deadline: float) -> Iterator[float]:
    """Run the epochs; the mean loss of each. The next is drawn while the device is at work."""
    epoch = next(epochs, None)
    while epoch is not None:
        if time.monotonic() > deadline:
            raise TrainingError("timeout")
        steps.launch(data, epoch)
        count, epoch = len(epoch.rates), next(epochs, None)
        yield mean_loss(steps.total / count)  # waits for the device


class Loop:
    """Work that takes one batch of a feed, again and again: as it stands, or as a CUDA graph once it is captured."""

    def __init__(self, feed: Feed, work: Callable[[], None]) -> None:
        self._feed = feed
        self._work = work
        self._run = work
        self.graph: torch.cuda.CUDAGraph | None = None
        """None as long as it is not captured."""

    @property
    def most(self) -> int:
        """Images that it takes at once."""
        return len(self._feed) * self._feed.batch

    def capture(self, beside: torch.cuda.CUDAGraph | None) -> None:
        """Become a graph, in the memory of another that is alive and never runs at the same time."""
        self.graph = captured(self._work, self._feed.rewind, beside)
        self._run = self.graph.replay

    def take(self, images: Tensor, answers: Tensor, rates: Tensor | None = None) -> None:
        """Do the work on images (N, C, H, W), batch by batch; does not wait for the device."""
        self._feed.fill(images, answers, rates)
        for _ in range(len(images) // self._feed.batch):
            self._run()


class Prepared:
    """The steps of one kind of training on one network, to be run from the beginning as often as is wanted."""

    def __init__(
        self,
        network: nn.Sequential,
        data: Batches,
        recipe: Recipe,
        *,
        masked: bool = False,
        feed: Callable[..., Feed] = shared_feed,
    ) -> None:
        """With buffers from `feed`."""
        device, image = data.images.device, tuple(data.images.shape[1:])
        self._network = deepcopy(network)
        self._answers = _smoothed(_classes(self._network, image, device), recipe.smoothing).to(device)
        steps, batch = steps_per_epoch(len(data.train), recipe.batch), min(recipe.batch, len(data.train))
        shown = feed(steps, batch, image, tuple(self._answers.shape[1:]), str(device))
        self._step = StaticStep(self._network, shown, recipe, data.numerics, masked=masked)
        self._training = Loop(shown, self._step)
        held_out = max(1, len(data.validation))
        asked = feed(math.ceil(held_out / CHECKED), min(CHECKED, held_out), image, (), str(device))
        self._check = StaticCheck(self._network, asked, data.numerics)
        self._checking = Loop(asked, self._check)

    def capture(self, beside: Prepared | None = None) -> float:
        """Make CUDA graphs of the steps, in the memory of `beside` if there is any; the seconds that it took."""
        begun = time.perf_counter()
        self._network.train()
        self._training.capture(None if beside is None else beside._training.graph)
        self._network.eval()
        self._checking.capture(self._training.graph)
        return time.perf_counter() - begun

    def begin(self, network: nn.Sequential, masks: Mapping[str, Tensor]) -> None:
        """Start from the weights of `network`, which is like the one that this was prepared for."""
        self._network.load_state_dict(network.state_dict())
        self._network.train()
        self._step.reset(masks)

    def launch(self, data: Batches, epoch: Epoch) -> None:
        """Have the device take the steps of an epoch; does not wait for it."""
        self._step.total.zero_()
        for part in epoch.to(data.images.device).stretches(self._training.most):
            images = data.images.index_select(0, part.places) * data.scale
            answers = self._answers.index_select(0, data.labels.index_select(0, part.places))
            self._training.take(affine(images, part.maps) - data.shift, answers, part.rates)

    @property
    def total(self) -> Tensor:
        """Sum of the losses of the epoch launched last, once the device has got there; no axes."""
        return self._step.total

    def accuracy(self, data: Batches) -> float:
        """Fraction of the validation images that get their label; NaN if a logit is not finite.

        Waits for the device.
        """
        self._network.eval()
        self._check.reset()
        count = len(data.validation)
        padding = data.validation[:1].expand(-count % min(CHECKED, count))
        places = torch.cat([data.validation, padding]).to(data.images.device)
        labels = data.labels.index_select(0, places)
        labels[count:] = -1
        for some, answers in zip(*(torch.split(one, self._checking.most) for one in (places, labels)), strict=True):
            self._checking.take(data.images.index_select(0, some) * data.scale - data.shift, answers)
        return self._check.accuracy(count)

    def hand_over(self, network: nn.Sequential) -> None:
        """Give `network` the weights and running statistics as they are now."""
        network.load_state_dict(self._network.state_dict())


_kept: OrderedDict[Hashable, Prepared] = OrderedDict()
"""By what they depend on, the one used last at the end."""


def prepared(network: nn.Sequential, data: Batches, recipe: Recipe, *, masked: bool) -> Prepared:
    """Steps for a training like this, which are kept: those of the last one like it, if there was one not long ago."""
    sizes = (tuple(data.images.shape[1:]), len(data.train), len(data.validation))
    key = (str(data.images.device), repr(network), replace(recipe, epochs=1), data.numerics, sizes, masked)
    found = _kept.pop(key, None)
    if found is None:
        found = Prepared(network, data, recipe, masked=masked)
        if data.images.device.type == "cuda":
            # In the memory of one that is alive, so the oldest is let go of after this.
            found.capture(next(iter(_kept.values()), None))
    _kept[key] = found
    if len(_kept) > _MOST:
        _kept.popitem(last=False)
    return found


@torch.no_grad()
def _classes(network: nn.Sequential, image: tuple[int, ...], device: torch.device) -> int:
    network.eval()
    return int(network(torch.zeros(1, *image, device=device)).shape[1])


def _smoothed(classes: int, smoothing: float) -> Tensor:
    """The probabilities that stand for each label: float32 (classes, classes)."""
    return torch.eye(classes) * (1 - smoothing) + smoothing / classes
