"""A trained network as inference needs it: batch norms folded into weights, dropout left out."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval


def fold(network: nn.Module) -> nn.Sequential:
    """The same function of leaf modules in order; the network itself is not changed.

    A batch norm goes into the convolution or dense layer before it. One after anything else becomes a convolution of
    1x1, a channel each, which runtimes quantise as they do all convolutions; on flat features it stays as it is.
    """
    folded: list[nn.Module] = []
    for module in _leaves(network):
        before = folded[-1] if folded else None
        match before, module:
            case _, nn.Dropout():
                continue
            case nn.Conv2d(), nn.BatchNorm2d():
                folded[-1] = fuse_conv_bn_eval(before, module)
            case nn.Linear(), nn.BatchNorm1d():
                folded[-1] = fuse_linear_bn_eval(before, module)
            case _, nn.BatchNorm2d():
                folded.append(_as_convolution(module))
            case _:
                folded.append(module)
    return nn.Sequential(*folded).eval()


def _leaves(network: nn.Module) -> list[nn.Module]:
    return [module for module in network.modules() if not list(module.children())]


def _as_convolution(norm: nn.BatchNorm2d) -> nn.Conv2d:
    channels = norm.num_features
    nothing = nn.Conv2d(channels, channels, 1, groups=channels, bias=False).eval()
    with torch.no_grad():
        nothing.weight.fill_(1.0)
    return fuse_conv_bn_eval(nothing, norm)
