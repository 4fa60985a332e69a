"""Number format and memory layout: whichever trains fastest on this machine, measured once and remembered."""

from __future__ import annotations

import math
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from space.building import build
from space.notation import read
from workers.engine import Engine, Pictures, Rule
from workers.fused import forward_of
from workers.graphs import captured
from workers.kernels import VERSION, load
from workers.remembered import recall, remember


@dataclass(frozen=True)
class Numerics:
    """How a training step is computed; weights and optimiser state are always float32."""

    bfloat16: bool = False
    """Activations, else they are float32."""
    channels_last: bool = False
    """Order of activations in memory."""
    fused: bool = False
    """Whether batch norm, ReLU and max pooling are taken by our compiled loops, on a CPU with channels last."""
    compiled: bool = False
    """Whether whole steps are, in float32, for networks that engine.py knows."""

    @property
    def for_plain(self) -> Numerics:
        """What a training in float32 uses on the same machine."""
        return COMPILED if self.fused else Numerics(channels_last=True)

    @property
    def layout(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def __str__(self) -> str:
        if self.compiled:
            return "float32, whole steps compiled"
        precision = "bfloat16" if self.bfloat16 else "float32"
        loops = ", compiled norms and pools" if self.fused else ""
        return f"{precision}, channels {'last' if self.channels_last else 'first'}{loops}"


COMPILED = Numerics(False, True, True, True)

_PROBE = read("1x28x28-8c3pnr-12c3pnr-P2-16c3pnr-16c3pnr-P2-20c3pnr-10c3p-G")
"""The network whose training step is timed: of the size and kind that searches train."""
_BATCH = 128
_STEPS = 6
_REPLAYS = 300
"""Steps on a GPU, where one takes a fraction of a millisecond."""
_ROUNDS = 3
_HOPELESS = 2
"""Times the seconds of the fastest so far, after which an option is not timed to its end, nor again."""


def device() -> torch.device:
    """The GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fastest(cache: Path) -> Numerics:
    """The fastest of float32 and bfloat16, channels first and last, for training steps of a small network.

    Measured in about two seconds on one thread and kept in the file `cache`, so that one machine always trains alike.
    """
    key = machine()
    try:
        return Numerics(**recall(cache)[key])
    except (KeyError, TypeError):
        found = measure()
        remember(cache, key, asdict(found))
        return found


def machine() -> str:
    """What a measurement holds for: the processor, torch's version, and whether our loops can be compiled."""
    if device().type == "cuda":
        name = torch.cuda.get_device_name()
    else:
        name = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()} {_processor()}"
    return f"{name}, torch {torch.__version__}{'' if load() is None else f', loops {VERSION}'}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def measure() -> Numerics:
    """Time the options on one thread, in about two seconds; some processors take 20 times as long in bfloat16."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    options = [Numerics(bfloat16, last) for bfloat16 in (False, True) for last in (True, False)]
    if device().type == "cpu" and load() is not None:
        options = [COMPILED, *(Numerics(bfloat16, True, True) for bfloat16 in (False, True)), *options]
    seconds = dict.fromkeys(options, math.inf)
    try:
        for _ in range(_ROUNDS):
            for option in options:
                limit = _HOPELESS * min(seconds.values())
                seconds[option] = min(seconds[option], _step_seconds(option, limit))
            options = [option for option in options if seconds[option] < math.inf]
    finally:
        torch.set_num_threads(threads)
    return min(seconds, key=seconds.__getitem__)


def _step_seconds(numerics: Numerics, limit: float) -> float:
    """Seconds that a few training steps, on a GPU as CUDA graphs, take after a first one that is not counted.

    Infinity as soon as the first or all of the others have taken more than `limit`.
    """
    if numerics.compiled:
        return _compiled_seconds()
    where = device()
    network = build(_PROBE)
    network.to(where, memory_format=numerics.layout)  # type: ignore[call-overload]
    forward = forward_of(network, loops=numerics.fused)
    images = torch.rand(_BATCH, *_PROBE.input, device=where).contiguous(memory_format=numerics.layout)
    labels = torch.zeros(_BATCH, dtype=torch.long, device=where)

    def step() -> None:
        with torch.autocast(where.type, torch.bfloat16, enabled=numerics.bfloat16):
            logits = forward(images)
        nn.functional.cross_entropy(logits.float(), labels).backward()  # type: ignore[no-untyped-call]

    run, steps = (captured(step).replay, _REPLAYS) if where.type == "cuda" else (step, _STEPS)
    begun = _now(where)
    run()
    if _now(where) - begun > limit:
        return math.inf
    begun = _now(where)
    for _ in range(steps):
        run()
        if time.perf_counter() - begun > limit:
            return math.inf
    return _now(where) - begun


def _compiled_seconds() -> float:
    """The same by engine.c, which shows the images and takes the optimiser's steps besides."""
    kernels = load()
    assert kernels is not None
    images = torch.zeros(_BATCH, *_PROBE.input, dtype=torch.uint8)
    labels = torch.zeros(_BATCH, dtype=torch.long)
    normal = (torch.ones(images.shape[1]), torch.zeros(images.shape[1]))
    pictures = Pictures(images=images, labels=labels, scale=normal[0], shift=normal[1])
    engine = Engine(kernels, build(_PROBE), pictures, Rule(matrices="muon", others="adam"), batch=_BATCH)
    begun = 0.0
    for steps in (1, _STEPS):
        begun = time.perf_counter()
        engine.train(torch.arange(_BATCH).repeat(steps), _BATCH, None, torch.zeros(steps, 2))
    return time.perf_counter() - begun


def _now(where: torch.device) -> float:
    if where.type == "cuda":
        torch.cuda.synchronize(where)
    return time.perf_counter()
