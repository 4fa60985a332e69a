"""A trained network with all that its files have to say of it. Knows nothing of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dashboards.text import number
from search.errors import SearchError
from search.export.preprocessing import Preprocess
from space.architecture import Architecture
from space.building import build
from space.candidate import Candidate, Verification
from space.notation import read

BATCH = 500
"""Images at once, whatever runs them."""


@dataclass(frozen=True, kw_only=True)
class Exportable:
    """One verified network."""

    study: str
    settings: Mapping[str, Any]
    """Of the study, as it stores them."""
    conditions: Mapping[str, Any]
    """Versions and device of the study's last run, as it stores them."""
    candidate: Candidate
    verification: Verification
    """The training that the weights come from: one of the candidate's."""
    state: Mapping[str, Tensor]
    """Its `state_dict`, float32."""
    dataset: str
    checksum: str
    """SHA-256 of the training images."""
    mean: tuple[float, ...]
    """Of each channel of the training images, as a fraction of 255."""
    deviation: tuple[float, ...]
    """Standard deviation of each channel of the training images, as a fraction of 255."""
    takes_bytes: bool = False
    """Whether files of a fixed graph take uint8 images and normalise them inside."""

    @cached_property
    def architecture(self) -> Architecture:
        return read(self.candidate.line)

    @cached_property
    def preprocess(self) -> Preprocess:
        """What makes the network's input of bytes."""
        return Preprocess(self.mean, self.deviation)

    @property
    def parameters(self) -> str:
        """How many are trainable, in words: pruning leaves fewer than the architecture has."""
        left, all_of_them = self.candidate.parameters, self.architecture.totals.parameters
        if left == all_of_them:
            return f"{number(left)} trainable parameters"
        return f"{number(left)} trainable parameters, and {number(all_of_them - left)} that pruning holds at zero"

    def network(self) -> nn.Sequential:
        """The network with its weights, ready to be asked; SearchError if these are not its weights."""
        network = build(self.architecture)
        try:
            network.load_state_dict(self.state)
        except RuntimeError as error:
            raise SearchError(f"the weights are not those of {self.candidate.line}: {error}") from error
        return network.eval()

    def inputs(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        """What a file of a fixed graph takes for these images: the images themselves, or float32 of their shape."""
        if self.takes_bytes:
            return images
        with torch.no_grad():
            normalised: NDArray[np.float32] = self.preprocess(torch.tensor(images)).numpy()
        return normalised

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What PyTorch makes of uint8 images (N, C, H, W) in float32 on the CPU: (N, classes). All files must agree."""
        network = nn.Sequential(self.preprocess, self.network())
        with torch.no_grad():
            found: NDArray[np.float32] = torch.cat(
                [network(part) for part in torch.split(torch.tensor(images), BATCH)]
            ).numpy()
        return found
