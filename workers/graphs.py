"""Work on a GPU captured as a CUDA graph: launched as a whole, in the time that launching one kernel takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch

_WARM_UPS = 2
"""Runs before a capture: libraries choose algorithms and take memory in the first."""


def captured(
    work: Callable[[], object],
    before: Callable[[], object] | None = None,
    beside: torch.cuda.CUDAGraph | None = None,
) -> torch.cuda.CUDAGraph:
    """`work` as a graph of the current GPU. It is run some times first, each time after `before` if that is given.

    Whatever `work` reads or writes besides its own intermediate results must have been made outside, and live as long
    as the graph. Intermediate results take the memory that `beside` has for its own, which therefore never replays at
    the same time. Random numbers go on as if neither the runs nor the capture had been.
    """
    device = torch.cuda.current_device()
    stream = _stream(device)
    graph = torch.cuda.CUDAGraph()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.random.fork_rng([device]):
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                if before is not None:
                    before()
                work()
        # A worker has other threads, which do not touch the GPU.
        pool = None if beside is None else beside.pool()
        with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    return graph


@cache
def _stream(device: int) -> torch.cuda.Stream:
    """Where everything of this process is captured: memory is shared within a stream only."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
