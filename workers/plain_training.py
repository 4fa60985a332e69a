"""One complete training under a PlainRecipe, in float32: by whole compiled steps where those can be had.

Plateaus, early stops and the best epoch are told as Keras tells them (ReduceLROnPlateau, EarlyStopping).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.augmentation import random_affine
from workers.compiled_training import take_epoch
from workers.course import Course, finite, mean_loss, run_epoch
from workers.engine import Rule, knows
from workers.plain_recipe import PlainRecipe, Plateau, StepDecay
from workers.training import Batches, held_at_zero, share_right


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
    steps = _steps(_Terms(network, data, recipe, generator, masks or {}, deadline))
    pace = Pace(recipe)
    best: dict[str, Tensor] = {}
    losses: list[float] = []
    while not pace.over:
        losses.append(steps.epoch(pace.rate))
        pace.tell(steps.validate() if recipe.validates else None)
        if recipe.restore_best and pace.is_best:
            steps.store()
            best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    steps.store()
    if best:
        network.load_state_dict(best)
    accuracy = finite(_validate(network, data).accuracy) if len(data.validation) else None
    return Course(losses=tuple(losses), accuracy=accuracy)


class _Steps(Protocol):
    """What takes the steps of the epochs."""

    def epoch(self, rate: float) -> float:
        """Train for an epoch with this learning rate; its mean loss."""

    def validate(self) -> Validation:
        """What the weights as they are now make of the fold held out."""

    def store(self) -> None:
        """Have the network hold the weights as they are now."""


@dataclass(frozen=True)
class _Terms:
    """What `fit` was asked for."""

    network: nn.Sequential
    data: Batches
    recipe: PlainRecipe
    generator: torch.Generator
    masks: Mapping[str, Tensor]
    deadline: float


def _steps(terms: _Terms) -> _Steps:
    """By compiled loops where those are of use on this machine and know the network."""
    terms.network.to(memory_format=torch.channels_last)
    data = terms.data
    is_compiled = data.numerics.for_plain.compiled and knows(terms.network, data.images)
    return _CompiledSteps(terms) if is_compiled else _TorchSteps(terms)


class _CompiledSteps:
    """Whole steps by engine.c."""

    def __init__(self, terms: _Terms) -> None:
        self._terms, recipe = terms, terms.recipe
        name = recipe.optimiser
        rule = Rule(matrices=name, others=name, momentum=recipe.momentum, decay=recipe.weight_decay)
        self._engine = terms.data.engine(terms.network, rule, recipe.batch, terms.masks)

    def epoch(self, rate: float) -> float:
        recipe, generator = self._terms.recipe, self._terms.generator
        order = self._terms.data.order(generator)
        rates = torch.full((len(list(_sizes(len(order), recipe.batch))), 2), rate)
        taken = (self._engine, order, rates, recipe.batch, recipe.augmentation, generator, self._terms.deadline)
        return mean_loss(take_epoch(*taken))

    def validate(self) -> Validation:
        data = self._terms.data
        logits = self._engine.logits(data.validation)
        loss = functional.cross_entropy(logits, data.labels[data.validation]).item()
        accuracy = share_right(logits, data)
        return Validation(accuracy=accuracy, loss=math.nan if math.isnan(accuracy) else loss)

    def store(self) -> None:
        self._engine.store()


def _sizes(images: int, batch: int) -> Iterator[int]:
    """Images of each step of an epoch; the last takes what is left, but never a single one: batch norms need two."""
    for first in range(0, images, batch):
        size = min(batch, images - first)
        if size > 1 or batch == 1:
            yield size


class _TorchSteps:
    """PyTorch's steps; what is masked stays at zero."""

    def __init__(self, terms: _Terms) -> None:
        self._terms = terms
        self._network = terms.network
        self._optimiser = _optimiser(terms.network, terms.recipe)
        self._hold = held_at_zero(terms.network, terms.masks)

    def epoch(self, rate: float) -> float:
        self._network.train()
        self._optimiser.param_groups[0]["lr"] = rate
        terms = self._terms
        return run_epoch(_shuffled(terms.data, terms.recipe, terms.generator), self._take, terms.deadline)

    def validate(self) -> Validation:
        return _validate(self._network, self._terms.data)

    def store(self) -> None:
        """They are there already."""

    def _take(self, images: Tensor, labels: Tensor) -> Tensor:
        """One step; its loss, detached."""
        loss = functional.cross_entropy(self._network(images), labels)
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
    """One epoch of training batches."""
    order = data.order(generator).to(data.images.device)
    sizes = list(_sizes(len(order), recipe.batch))
    for places in torch.split(order[: sum(sizes)], sizes):
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
