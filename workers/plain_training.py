"""One complete training under a PlainRecipe, in float32 and channels last.

Plateaus, early stops and the best epoch are told as Keras tells them (ReduceLROnPlateau, EarlyStopping).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.augmentation import random_affine
from workers.course import Course, finite, run_epoch
from workers.fused import Forward, forward_of
from workers.plain_recipe import PlainRecipe, Plateau, StepDecay
from workers.training import Batches, held_at_zero


@dataclass(frozen=True, kw_only=True)
class Validation:
    """What a network makes of the fold held out."""

    accuracy: float
    """A fraction; NaN if a logit is not finite."""
    loss: float
    """Mean cross-entropy."""


class Pace:
    """The learning rate of each epoch and whether there is another, from what validation says."""

    def __init__(self, recipe: PlainRecipe) -> None:
        self._recipe = recipe
        self.epochs = 0
        """That are over."""
        self.rate = recipe.learning_rate
        """Learning rate of the next epoch."""
        self.over = recipe.epochs < 1
        self.is_best = False
        """Whether the last epoch was better in validation than any before."""
        self._best = _Best()
        self._plateau = _Best(recipe.schedule.least if isinstance(recipe.schedule, Plateau) else 0.0)

    def tell(self, validation: Validation | None) -> None:
        """An epoch is over; `validation` is None where the recipe does not go by it."""
        recipe = self._recipe
        self.epochs += 1
        if validation is not None:
            value = validation.accuracy if recipe.measure == "accuracy" else -validation.loss
            self.is_best = self._best.tell(value)
            self._plateau.tell(value)
        self.rate = self._next_rate()
        stopped = recipe.early_stop is not None and self._best.since >= recipe.early_stop
        self.over = stopped or self.epochs >= recipe.epochs

    def _next_rate(self) -> float:
        match self._recipe.schedule:
            case StepDecay(factor=factor, every=every, floor=floor):
                return max(floor, self._recipe.learning_rate * factor ** (self.epochs // every))
            case Plateau(patience=patience, factor=factor) if self._plateau.since >= patience:
                self._plateau.since = 0
                return self.rate * factor
        return self.rate


class _Best:
    """The largest value so far, and for how many it has not been exceeded by more than `least`."""

    def __init__(self, least: float = 0.0) -> None:
        self.value = -math.inf
        self.since = 0
        self._least = least

    def tell(self, value: float) -> bool:
        """Whether `value` is a new best one; one that is no number never is."""
        better = value > self.value + self._least
        self.value = value if better else self.value
        self.since = 0 if better else self.since + 1
        return better


def fit(
    network: nn.Sequential,
    data: Batches,
    recipe: PlainRecipe,
    generator: torch.Generator,
    *,
    deadline: float = math.inf,
    masks: Mapping[str, Tensor] | None = None,
) -> Course:
    """Train `network`, which is on the device of `data`, in place, then validate it if a fold is held out.

    The order of the images and their augmentation come from `generator`, dropout from torch's global one. `masks`, by
    names of parameters, hold these at zero where they are 0. ValueError if the recipe goes by validation and no fold
    is held out. TrainingError if the loss or a logit is no longer finite, or if time.monotonic() passes `deadline`.
    """
    if recipe.validates and not len(data.validation):
        raise ValueError("a recipe that goes by validation needs a fold held out, but there is none")
    network.to(memory_format=torch.channels_last)
    steps = _Steps(network, forward_of(network, loops=data.numerics.fused), recipe, masks or {})
    pace = Pace(recipe)
    best: dict[str, Tensor] = {}
    losses: list[float] = []
    while not pace.over:
        steps.begin(pace.rate)
        losses.append(run_epoch(_shuffled(data, recipe, generator), steps.take, deadline))
        pace.tell(_validate(network, data) if recipe.validates else None)
        if recipe.restore_best and pace.is_best:
            best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    if best:
        network.load_state_dict(best)
    accuracy = finite(_validate(network, data).accuracy) if len(data.validation) else None
    return Course(losses=tuple(losses), accuracy=accuracy)


class _Steps:
    """The optimiser's steps; what is masked stays at zero."""

    def __init__(
        self, network: nn.Module, forward: Forward, recipe: PlainRecipe, masks: Mapping[str, Tensor]
    ) -> None:
        self._network = network
        self._forward = forward
        self._optimiser = _optimiser(network, recipe)
        self._hold = held_at_zero(network, masks)

    def begin(self, rate: float) -> None:
        """Begin an epoch with this learning rate."""
        self._network.train()
        self._optimiser.param_groups[0]["lr"] = rate

    def take(self, images: Tensor, labels: Tensor) -> Tensor:
        """One step; its loss, detached."""
        loss = functional.cross_entropy(self._forward(images), labels)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._hold()
        return loss.detach()


def _optimiser(network: nn.Module, recipe: PlainRecipe) -> torch.optim.Optimizer:
    parameters, rate, decay = network.parameters(), recipe.learning_rate, recipe.weight_decay
    if recipe.optimiser == "adam":
        return torch.optim.Adam(parameters, lr=rate, weight_decay=decay, fused=True)
    return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=recipe.momentum, fused=True)


def _shuffled(data: Batches, recipe: PlainRecipe, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of training batches; the last takes what is left, but never a single image (batch norms need two)."""
    order = data.train[torch.randperm(len(data.train), generator=generator)].to(data.images.device)
    for places in torch.split(order, recipe.batch):
        if len(places) == 1 < recipe.batch:
            return
        images = data.images[places] * data.scale
        if recipe.augmentation is not None:
            images = random_affine(images, recipe.augmentation, generator)
        yield (images - data.shift).contiguous(memory_format=torch.channels_last), data.labels[places]


@torch.no_grad()
def _validate(network: nn.Module, data: Batches) -> Validation:
    network.eval()
    right, lost, finite = [], [], []
    for images, labels in data.held_out():
        logits = network(images.contiguous(memory_format=torch.channels_last))
        right.append((logits.argmax(dim=1) == labels).sum())
        lost.append(functional.cross_entropy(logits, labels, reduction="sum"))
        finite.append(logits.isfinite().all())
    if not torch.stack(finite).all():
        return Validation(accuracy=math.nan, loss=math.nan)
    count = len(data.validation)
    return Validation(accuracy=int(sum(right)) / count, loss=float(sum(lost)) / count)
