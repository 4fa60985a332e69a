"""Pruning of trained networks: single weights by a mask, or whole filters so that a smaller network is left."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor

import torch
from torch import Tensor, nn

from space.architecture import Architecture
from space.layers import BatchNorm, Conv, DepthwiseConv, Flatten, Linear

Masks = dict[str, Tensor]
"""By the name of a convolution's weights: 1 where a weight is kept, else 0; float32, of the weights' shape."""

_EPSILON = 1e-5
"""That nn.BatchNorm2d adds to a variance."""


def keep_per_round(keep: float, rounds: int) -> float:
    """The share that each of `rounds` keeps of what the one before has left, so that `keep` of all is left at the end.

    ValueError unless `keep` is above 0 and at most 1, and there is a round.
    """
    if not 0 < keep <= 1:
        raise ValueError(f"the share of weights to keep must be above 0 and at most 1, but got {keep}")
    if rounds < 1:
        raise ValueError(f"rounds of pruning must be at least 1, but got {rounds}")
    return float(keep ** (1 / rounds))


@torch.no_grad()
def global_masks(network: nn.Module, keep: float, masks: Masks | None = None) -> Masks:
    """One round of global magnitude pruning: of the weights still kept, the share `keep` that is largest stays.

    Weights of all convolutions are ranked together, as Frankle and Carbin do for deep networks ("The Lottery Ticket
    Hypothesis", 2019, section 4); dense layers, biases and batch norms are left alone. As many stay as the share comes
    to, halves rounded up; of equal ones those that come first. `masks` are those of the round before.
    """
    weights = {
        f"{name}.weight": module.weight for name, module in network.named_modules() if isinstance(module, nn.Conv2d)
    }
    if not weights:
        return {}
    magnitudes = [weight.abs().flatten() for weight in weights.values()]
    if masks is not None:  # what was pruned ranks below every magnitude
        magnitudes = [
            size.masked_fill(masks[name].flatten() == 0, -1) for size, name in zip(magnitudes, weights, strict=True)
        ]
    ranked = torch.cat(magnitudes)
    kept = torch.zeros_like(ranked, dtype=torch.float32)
    count = floor(keep * int((ranked >= 0).sum()) + 0.5)
    kept[torch.argsort(ranked, descending=True, stable=True)[:count]] = 1
    parts = torch.split(kept, [weight.numel() for weight in weights.values()])
    return {name: part.view(weights[name].shape) for name, part in zip(weights, parts, strict=True)}


def nonzero(architecture: Architecture, state: Mapping[str, Tensor]) -> int:
    """Trainable scalars, less the weights of convolutions that are 0, by a pruned network's `state_dict`."""
    zeros = (
        int((state[f"{place}.weight"] == 0).sum())
        for place, layer in enumerate(architecture.layers)
        if isinstance(layer, Conv | DepthwiseConv)
    )
    return architecture.totals.parameters - sum(zeros)


def filter_scores(architecture: Architecture, state: Mapping[str, Tensor]) -> list[list[float]]:
    """What each filter of each convolution is worth, by the weights of a trained network; to compare within one only.

    The deviation that the last batch norm gives its map, which is its scale (Liu et al., "Network Slimming", 2017)
    unless the map is the same for every image; without a batch norm the L1 norm of its weights (Li et al., "Pruning
    Filters for Efficient ConvNets", 2017).
    """
    found: list[Tensor] = []
    for place, layer in enumerate(architecture.layers):
        match layer:
            case Conv():
                found.append(state[f"{place}.weight"].abs().sum(dim=(1, 2, 3)))
            case BatchNorm() if found:
                variance = state[f"{place}.running_var"]
                found[-1] = state[f"{place}.weight"].abs() * (variance / (variance + _EPSILON)).sqrt()
            case Flatten() | Linear():
                break
    return [score.tolist() for score in found]
