"""One complete training of one network: Muon and Adam under one schedule, with the augmentation done in batches."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from space.architecture import Architecture
from space.building import build
from workers.augmentation import random_affine
from workers.compiled_training import take_epoch
from workers.course import Course, TrainingError, finite, mean_loss, run_epoch
from workers.dataset import DataSet, split
from workers.device_training import fit as fit_on_device
from workers.engine import Engine, Pictures, Rule, knows
from workers.fused import Forward, forward_of
from workers.job import Failed, Outcome, Trained
from workers.kernels import Kernels, load
from workers.muon import Muon
from workers.numerics import Numerics
from workers.recipe import Recipe
from workers.schedule import rates, steps_per_epoch, triangle
from workers.weights import pack

_VALIDATION_BATCH = 1000
_MAX_SEED = 2**63


@dataclass(frozen=True)
class Batches:
    """Images of one fold on the device that trains on them, as uint8, with the places held out."""

    images: Tensor
    """uint8 (N, C, H, W)."""
    labels: Tensor
    """int64 (N,)."""
    train: Tensor
    """int64 places, on the CPU."""
    validation: Tensor
    """int64 places, on the CPU; none if no fold is held out."""
    shift: Tensor
    """(1, C, 1, 1): mean over deviation of each channel."""
    scale: Tensor
    """(1, C, 1, 1): what makes a byte a multiple of its channel's deviation."""
    numerics: Numerics

    def order(self, generator: torch.Generator) -> Tensor:
        """The training images' places, as one epoch shows them."""
        return self.train[torch.randperm(len(self.train), generator=generator)]

    def shuffled(self, recipe: Recipe, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """One epoch of augmented training batches; one that is not full is left out, unless there is no other."""
        order = self.order(generator)
        for step in range(steps_per_epoch(len(self.train), recipe.batch)):
            places = order[step * recipe.batch : (step + 1) * recipe.batch].to(self.images.device)
            images = random_affine(self.images[places] * self.scale, recipe.augmentation, generator)
            yield self._laid_out(images - self.shift), self.labels[places]

    def held_out(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The validation images, as they are."""
        return self.in_order(self.validation)

    def in_order(self, chosen: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """The images at these places, as they are."""
        for places in torch.split(chosen.to(self.images.device), _VALIDATION_BATCH):
            yield self._laid_out(self.images[places] * self.scale - self.shift), self.labels[places]

    def engine(self, network: nn.Sequential, rule: Rule, batch: int, masks: Mapping[str, Tensor]) -> Engine:
        """What trains `network` by compiled steps; it draws its dropout's seed from torch's global generator."""
        kernels = load()
        assert kernels is not None
        pictures = Pictures(images=self.images, labels=self.labels, scale=self.scale, shift=self.shift)
        seed = int(torch.randint(_MAX_SEED - 1, ()))
        return Engine(kernels, network, pictures, rule, batch=batch, seed=seed, masks=masks)

    def _laid_out(self, images: Tensor) -> Tensor:
        return images.contiguous(memory_format=self.numerics.layout)


def batches(data: DataSet, fold: int | None, numerics: Numerics, device: torch.device) -> Batches:
    """Put a data set on `device` (on a CPU the arrays are used where they lie) and hold `fold` out, or nothing."""
    parts = split(data.labels, fold)
    deviation = torch.tensor(data.deviation).view(1, -1, 1, 1)
    mean = torch.tensor(data.mean).view(1, -1, 1, 1)
    with warnings.catch_warnings():
        # Ray's object store hands out read-only arrays; nothing here writes to them.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        images, labels = torch.from_numpy(data.images), torch.from_numpy(data.labels)
    return Batches(
        images=images.to(device),
        labels=labels.to(device),
        train=torch.from_numpy(parts.train),
        validation=torch.from_numpy(parts.validation),
        shift=(mean / deviation).to(device),
        scale=(1 / (255 * deviation)).to(device),
        numerics=numerics,
    )


def train(
    architecture: Architecture,
    data: Batches,
    recipe: Recipe,
    *,
    seed: int,
    deadline: float = math.inf,
    wants_weights: bool = False,
) -> Outcome:
    """Train a network from fresh weights to the end of its schedule, then validate it once.

    Equal arguments give equal results on one CPU. Failed where `fit` raises TrainingError.
    """
    begun = time.monotonic()
    network, generator = begin(architecture, data, seed)
    try:
        course = fit(network, data, recipe, generator, deadline=deadline)
    except TrainingError as error:
        return Failed(epochs=recipe.epochs, reason=str(error))
    assert course.accuracy is not None
    seconds = time.monotonic() - begun
    weights = pack(network.state_dict()) if wants_weights else None
    return Trained(losses=course.losses, accuracy=course.accuracy, seconds=seconds, weights=weights)


def begin(architecture: Architecture, data: Batches, seed: int) -> tuple[nn.Sequential, torch.Generator]:
    """A network with fresh weights where `data` are, and what its training draws from besides torch's own generator."""
    torch.manual_seed(seed % _MAX_SEED)
    generator = torch.Generator().manual_seed(seed % _MAX_SEED)
    network = build(architecture)
    network.to(data.images.device, memory_format=data.numerics.layout)  # type: ignore[call-overload]
    return network, generator


def fit(
    network: nn.Sequential,
    data: Batches,
    recipe: Recipe,
    generator: torch.Generator,
    *,
    deadline: float = math.inf,
    masks: Mapping[str, Tensor] | None = None,
) -> Course:
    """Train `network`, which is on the device of `data`, in place; then validate it if a fold is held out.

    `masks`, by names of parameters, hold these at zero where they are 0. TrainingError if the loss or a logit is no
    longer finite, or if time.monotonic() passes `deadline`.
    """
    if data.images.device.type == "cuda":
        return fit_on_device(network, data, recipe, generator, deadline=deadline, masks=masks)
    if data.numerics.compiled and knows(network, data.images):
        return _fit_compiled(network, data, recipe, generator, deadline, masks or {})
    steps = recipe.epochs * steps_per_epoch(len(data.train), recipe.batch)
    optimisers = _optimisers(network, recipe, load() if data.numerics.fused else None)
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: triangle((step + 1) / (steps + 1), recipe.warmup))
        for optimiser in optimisers
    ]
    held = held_at_zero(network, masks or {})
    forward = forward_of(network, loops=data.numerics.fused)

    def step(images: Tensor, labels: Tensor) -> Tensor:
        loss = _step(forward, optimisers, images, labels, recipe, data.numerics)
        held()
        for schedule in schedules:
            schedule.step()
        return loss

    network.train()
    losses = tuple(run_epoch(data.shuffled(recipe, generator), step, deadline) for _ in range(recipe.epochs))
    accuracy = finite(_accuracy(network, data)) if len(data.validation) else None
    return Course(losses=losses, accuracy=accuracy)


def _fit_compiled(
    network: nn.Sequential,
    data: Batches,
    recipe: Recipe,
    generator: torch.Generator,
    deadline: float,
    masks: Mapping[str, Tensor],
) -> Course:
    """`fit`, with whole steps by compiled loops: the same batches, maps and steps, but for rounding and dropout."""
    rule = Rule(matrices="muon", others="adam", momentum=recipe.momentum, smoothing=recipe.smoothing)
    engine = data.engine(network, rule, recipe.batch, masks)
    each = steps_per_epoch(len(data.train), recipe.batch)
    losses = []
    for epoch in range(recipe.epochs):
        order = data.order(generator)
        now = rates(recipe, each, epoch)
        taken = take_epoch(engine, order, now, recipe.batch, recipe.augmentation, generator, deadline)
        losses.append(mean_loss(taken))
    engine.store()
    accuracy = finite(share_right(engine.logits(data.validation), data)) if len(data.validation) else None
    return Course(losses=tuple(losses), accuracy=accuracy)


def share_right(logits: Tensor, data: Batches) -> float:
    """Fraction of the validation images that get their label by `logits`; NaN if one of these is not finite."""
    right = int((logits.argmax(dim=1) == data.labels[data.validation]).sum())
    return right / len(data.validation) if logits.isfinite().all() else math.nan


def held_at_zero(network: nn.Module, masks: Mapping[str, Tensor]) -> Callable[[], None]:
    """Set parameters to zero where their mask is 0, now and whenever what is returned is called."""
    parameters = dict(network.named_parameters())
    pairs = [
        (parameters[name], torch.empty_like(parameters[name]).detach().copy_(mask)) for name, mask in masks.items()
    ]

    @torch.no_grad()
    def hold() -> None:
        for parameter, mask in pairs:
            parameter.mul_(mask)

    hold()
    return hold


def _optimisers(network: nn.Module, recipe: Recipe, kernels: Kernels | None) -> list[torch.optim.Optimizer]:
    """Muon for the weights of convolutions and dense layers, Adam for biases and batch norms, where there are any."""
    weights = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in network.parameters() if parameter.ndim == 1]
    optimisers: list[torch.optim.Optimizer] = [Muon(weights, lr=recipe.peak, momentum=recipe.momentum, kernels=kernels)]
    if others:
        optimisers.append(torch.optim.Adam(others, lr=recipe.other_peak, fused=True))
    return optimisers


def _step(
    forward: Forward,
    optimisers: list[torch.optim.Optimizer],
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    numerics: Numerics,
) -> Tensor:
    """One step of the optimisers; its loss, detached."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=numerics.bfloat16):
        logits = forward(images)
    loss = functional.cross_entropy(logits.float(), labels, label_smoothing=recipe.smoothing)
    for optimiser in optimisers:
        optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    for optimiser in optimisers:
        optimiser.step()
    return loss.detach()


@torch.no_grad()
def _accuracy(network: nn.Module, data: Batches) -> float:
    """Fraction of the validation images that get their label; NaN if a logit is not finite."""
    network.eval()
    right, finite = [], []
    for images, labels in data.held_out():
        with torch.autocast(images.device.type, torch.bfloat16, enabled=data.numerics.bfloat16):
            logits = network(images)
        finite.append(logits.isfinite().all())
        right.append((logits.argmax(dim=1) == labels).sum())
    return int(sum(right)) / len(data.validation) if all(finite) else math.nan
