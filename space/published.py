"""Networks that people published for MNIST, by name.

Layers and accuracies are taken from the five texts listed in the README; where a text shows no layers they are a
reading that fits its parameter count. The accuracies were nearly all chosen on the test set: best epoch, one seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from space.architecture import Architecture
from space.notation import read


@dataclass(frozen=True)
class Published:
    """One network as its author published it."""

    name: str
    line: str
    """Its layers, in the one-line notation."""
    parameters: int
    """Trainable scalars, as published or derived from the layers."""
    accuracy: float
    """Best published test accuracy, a fraction."""

    @cached_property
    def architecture(self) -> Architecture:
        return read(self.line)


_ARTICLE = "16c3brnd0.1-16c3brnd0.1-10c3brnd0.1-G"
_OPTIMIZATION = "16c3brnd0.1-16c3brnd0.1-16c3brnd0.1"

PUBLISHED: tuple[Published, ...] = (
    Published("reduce-baseline", "1x28x28-32c4br-P2-F-128fbr-10fb", 591_786, 0.9859),
    Published("reduce-1", "1x28x28-32c4br-P2n-P2n-16c2br-P2n-F-10fb", 3_418, 0.9793),
    Published("reduce-2", "1x28x28-32c3br-P2n-P2-16c2br-P2n-F-10fb", 3_130, 0.9732),
    Published("article-1", "1x28x28-32c3brn-P2-14c3brn-P2-Fd0.1-10fb", 7_968, 0.9924),
    Published("article-2", f"1x28x28-4c3brn-8c3brn-P2-{_ARTICLE}", 5_382, 0.9947),
    Published("article-3", "1x28x28-2c3brn-4c3brn-P2-8c3brn-16c3brn-10c3brn-G", 3_090, 0.99),
    Published("eip-1", "1x28x28-32c3r-64c3r-128c3r-P2-32c1r-64c3r-128c3r-10c1r-10c7-F", 194_884, 0.9922),
    Published("eip-2", "1x28x28-10c3r-12c3r-16c3r-P2-10c1r-12c3r-16c3r-10c1r-10c7-F", 10_926, 0.9917),
    Published("eip-3", "1x28x28-10c3nr-12c3nr-16c3nr-P2-10c1nr-12c3nr-16c3nr-10c1nr-10c7n-F", 11_118, 0.9941),
    Published(
        "eip-4",
        "1x28x28-10c3nrd0.1-12c3nrd0.1-16c3nrd0.1-P2-10c1nr-12c3nrd0.1-16c3nrd0.1-10c1nr-10c7n-F",
        11_118,
        0.9952,
    ),
    Published("steps-1", "1x28x28-10c3nr-10c3nr-10c3nr-P2-10c1nr-10c3nr-10c3nr-10c1nr-10c7-F", 8_930, 0.9918),
    Published("steps-2", "1x28x28-10c3nr-16c3nr-10c3nr-P2-16c1-10c3nr-16c3nr-32c3nr-10c1n-G", 11_146, 0.9908),
    Published("steps-3", "1x28x28-16c3nr-32c3nr-16c1nr-P2-10c3nr-10c3nr-10c1n-G", 7_892, 0.9945),
    Published("optimization", f"1x28x28-{_OPTIMIZATION}-P2-{_OPTIMIZATION}-10c3b-G", 13_402, 0.9947),
)

BY_NAME = {network.name: network for network in PUBLISHED}
