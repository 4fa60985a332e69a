"""Whether a file says what PyTorch says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Parity:
    """A file beside PyTorch in float32, on the same labelled images."""

    images: int
    equal: int
    """Images that both take for the same class."""
    right: int
    """Images that the file takes for the class they are."""
    expected: int
    """Images that PyTorch takes for the class they are."""
    difference: float
    """Largest of any logit."""

    @property
    def accuracy(self) -> float:
        """The file's, a fraction."""
        return self.right / self.images


def compare(
    found: NDArray[np.float32], expected: NDArray[np.float32], labels: NDArray[np.int64], may_lose: float | None
) -> Parity | str:
    """A file's logits (N, classes) beside PyTorch's, for images of these labels; why the file must go, if it must.

    With `may_lose` at most that share of the images may be lost, without it every prediction must be PyTorch's.
    """
    if found.shape != expected.shape:
        return f"it must put out {expected.shape}, but puts out {found.shape}"
    if not np.isfinite(found).all():
        return "it puts out values that are not finite"
    parity = _parity(found, expected, labels)
    if may_lose is None:
        apart = parity.images - parity.equal
        return f"{apart:,} of {parity.images:,} predictions are not PyTorch's" if apart else parity
    lost = parity.expected - parity.right
    if lost > may_lose * parity.images:
        return (
            f"it loses {lost:,} of {parity.images:,} images ({100 * lost / parity.images:.2f} points), "
            f"and may lose {100 * may_lose:g} points"
        )
    return parity


def _parity(found: NDArray[np.float32], expected: NDArray[np.float32], labels: NDArray[np.int64]) -> Parity:
    here, there = found.argmax(axis=1), expected.argmax(axis=1)
    return Parity(
        images=len(labels),
        equal=int((here == there).sum()),
        right=int((here == labels).sum()),
        expected=int((there == labels).sum()),
        difference=float(np.abs(found - expected).max()),
    )
