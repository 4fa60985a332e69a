"""A training step and a validation step that are the same work on the same memory each time.

Nothing in them waits for the device, asks it for a number or differs from one step to the next in Python. So they can
run as they stand, or be captured once as CUDA graphs and replayed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.feed import Feed
from workers.numerics import Numerics
from workers.recipe import Recipe
from workers.stacked import Adam, StackedMuon


class StaticStep:
    """One step of training: a batch from the feed, forward, backward, both optimisers at the feed's rates.

    The feed's answers are probabilities of classes, float32 (steps, batch, classes).
    """

    def __init__(self, network: nn.Sequential, feed: Feed, recipe: Recipe, numerics: Numerics, *, masked: bool) -> None:
        self._network = network
        self._feed = feed
        self._numerics = numerics
        weights = [parameter for parameter in network.parameters() if parameter.ndim > 1]
        others = [parameter for parameter in network.parameters() if parameter.ndim == 1]
        self._muon, self._adam = StackedMuon(weights, recipe.momentum), Adam(others)
        self._weights = len(weights)
        self._parameters = [*weights, *others]
        self._masks = {name: torch.ones_like(one).detach() for name, one in network.named_parameters() if masked}
        self.total = torch.zeros((), device=feed.images.device)
        """Sum of the losses of all steps since it was last set to 0."""

    @torch.no_grad()
    def reset(self, masks: Mapping[str, Tensor]) -> None:
        """As before the first step, with these parameters held at zero where their mask is 0, from now on."""
        self._muon.reset()
        self._adam.reset()
        for name, mask in self._masks.items():
            mask.copy_(masks.get(name, torch.ones(())))
        self._hold()

    def __call__(self) -> None:
        images, answers, rates = self._feed.take()
        loss = functional.cross_entropy(logits(self._network, images, self._numerics), answers)
        gradients = torch.autograd.grad(loss, self._parameters)
        self._muon.step(gradients[: self._weights], rates[0])
        self._adam.step(gradients[self._weights :], rates[1])
        self._hold()
        self.total.add_(loss.detach())

    @torch.no_grad()
    def _hold(self) -> None:
        if self._masks:
            parameters = dict(self._network.named_parameters())
            torch._foreach_mul_([parameters[name] for name in self._masks], list(self._masks.values()))


class StaticCheck:
    """One step of validation: a batch from the feed, and how many of it get their label.

    The feed's answers are labels, float32 (steps, batch); -1 stands for an image that does not count.
    """

    def __init__(self, network: nn.Sequential, feed: Feed, numerics: Numerics) -> None:
        self._network = network
        self._feed = feed
        self._numerics = numerics
        device = feed.images.device
        self._right = torch.zeros((), dtype=torch.int64, device=device)
        self._finite = torch.ones((), dtype=torch.bool, device=device)

    def reset(self) -> None:
        """As before the first step."""
        self._right.zero_()
        self._finite.fill_(True)

    @torch.no_grad()
    def __call__(self) -> None:
        images, labels, _ = self._feed.take()
        found = logits(self._network, images, self._numerics)
        self._finite.logical_and_(found.isfinite().all())
        self._right.add_((found.argmax(dim=1) == labels).sum())

    def accuracy(self, count: int) -> float:
        """The fraction of `count` images that got their label; NaN if a logit was not finite. Waits for the device."""
        return int(self._right) / count if bool(self._finite) else math.nan


def logits(network: nn.Module, images: Tensor, numerics: Numerics) -> Tensor:
    """What `network` makes of a batch in float32 (batch, C, H, W): float32 (batch, classes)."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=numerics.bfloat16, cache_enabled=False):
        found: Tensor = network(images.contiguous(memory_format=numerics.layout))
    return found.float()
