"""Times training steps as a run would take them: in as many processes as it has trainings at once, all together.

The processes have a home of their own, which is thrown away with all that they put there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any, Self

import numpy as np

from search import home
from search.errors import SearchError
from search.places import Places
from search.ray_connection import connected, nodes, own_places, scratch_directory
from search.settings import StudySettings
from search.site import Site
from space.architecture import Architecture
from space.notation import write
from workers import kernels, sources
from workers.dataset import DataSet
from workers.memory import training_bytes
from workers.pace import Pace

_NICENESS = "RAY_worker_niceness"
"""Where Ray's workers read how far to give way to other processes."""
_USUAL_NICENESS = 15


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What was timed, and where."""

    networks: tuple[Architecture, ...]
    paces: tuple[Pace, ...]
    """Of each network, the mean over all processes."""
    processes: int
    device: str
    numerics: str


def slots(settings: StudySettings, site: Site) -> tuple[int, int]:
    """Trainings at once of a run at `site`, and how many of them this machine alone would take on.

    ClusterError where a cluster cannot be joined; SearchError where it has GPUs and this machine has none, since
    what is timed here would say nothing of it.
    """
    image, images = sources.find(settings.dataset).image, sources.find(settings.dataset).images
    shape = np.broadcast_to(np.uint8(0), (images, *image))
    data = DataSet(settings.dataset, shape, np.zeros(0, dtype=np.int64), 0, (), (), "")
    site = replace(site, gpu_bytes=training_bytes(data, settings.recipe.batch))
    here = own_places(replace(site, address=None))
    assert here.most is not None
    if site.address is None:
        return here.most, here.most
    count = _on_cluster(site, here)
    return count, min(count, here.most)


def _on_cluster(site: Site, here: Places) -> int:
    with scratch_directory() as scratch, connected(scratch, site) as places:
        found = places.capacity(nodes())
    if found["gpu"] and not here.gpus:
        raise SearchError(
            f"Ray cluster {site.address} trains on GPUs and this machine has none: plan on one of its nodes"
        )
    return found.total()


def calibrate(networks: Sequence[Architecture], settings: StudySettings, processes: int, seconds: float) -> Calibration:
    """Time training steps of `networks`, no two of them equal, for about `seconds` in `processes` processes at once."""
    lines = [write(network) for network in networks]
    turned = [lines[first:] + lines[:first] for first in (number % len(lines) for number in range(processes))]
    with _scratch_home() as scratch, ExitStack() as stack:

        def begin(number: int) -> _Process:
            order = {"lines": turned[number], "batch": settings.recipe.batch, "seconds": seconds}
            return stack.enter_context(_Process(scratch, number, order))

        first = begin(0)
        ready = first.answer()  # it compiles and measures what the others then find
        others = [begin(number) for number in range(1, processes)]
        for process in others:
            process.answer()
        for process in (first, *others):
            process.say("begin")
        told = [process.answer() for process in (first, *others)]
    by_line = [dict(zip(order, answer, strict=True)) for order, answer in zip(turned, told, strict=True)]
    return Calibration(
        networks=tuple(networks),
        paces=tuple(_mean([answer[line] for answer in by_line]) for line in lines),
        processes=processes,
        **ready,
    )


def _mean(paces: Sequence[Sequence[float]]) -> Pace:
    return Pace(*(fmean(values) for values in zip(*paces, strict=True)))


@contextmanager
def _scratch_home() -> Iterator[Path]:
    """A home for a while, with what this machine has compiled and measured already."""
    with tempfile.TemporaryDirectory(prefix="petitnet-plan-") as name:
        scratch = Path(name)
        if home.numerics_file().is_file():
            shutil.copy(home.numerics_file(), scratch / home.numerics_file().name)
        if kernels.directory().is_dir():
            shutil.copytree(kernels.directory(), scratch / kernels.directory().name)
        yield scratch


class _Process:
    """One process that runs workers.pace; it does not outlive its `with` block."""

    def __init__(self, scratch: Path, number: int, order: dict[str, Any]) -> None:
        self._complaints = scratch / f"{number}.log"
        more = {
            "numerics": str(scratch / home.numerics_file().name),
            "niceness": int(os.environ.get(_NICENESS, _USUAL_NICENESS)),
        }
        with self._complaints.open("w") as complaints:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "workers.pace"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                env=os.environ | {"PETITNET_HOME": str(scratch), "TMPDIR": str(scratch)},
            )
        self.say(json.dumps(order | more))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def say(self, line: str) -> None:
        """Tell it something; if it has ended, `answer` will say so."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()

    def answer(self) -> Any:
        """What it says next; SearchError if it ends instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            lines = self._complaints.read_text(errors="replace").strip().splitlines()
            raise SearchError(f"training steps could not be timed: {lines[-1] if lines else 'the process ended'}")
        return json.loads(line)
