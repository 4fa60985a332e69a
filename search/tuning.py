"""Ray Tune as the far side of a Conductor: it keeps workers on the cluster, hands them jobs and takes in what they
report.

A Tune trial is one worker, not one candidate: it lives as long as its node and the run, and trains one job after
another. Tune places workers, notices those that die and starts others; it decides nothing about candidates. Three of
its seams are filled: a Searcher asks for workers, a TrialScheduler takes in every result, a Stopper ends the run.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from math import ceil
from typing import Any, Protocol

import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from search.conductor import HOPELESS
from search.crew import Crew
from search.errors import ClusterError
from search.places import Kind, Places
from search.ray_connection import connected, nodes, scratch_directory
from search.site import Site
from workers.desk import Desk
from workers.job import Task, from_result

_RECOUNT = 3.0
"""Seconds between two looks at the cluster's nodes."""
_AT_ONCE = 8
"""Jobs that are asked for together, at most: the database hardly takes longer, but all of them wait for it."""
_AHEAD = 8
"""Workers for each job that is kept ready, so that whoever reports has its next one before its result is told."""


class Conductor(Protocol):
    """Who decides what is trained; search.conductor.Conductor does for a study, search.batch.Batch for a list."""

    crew: Crew
    """Set from outside: who trains now."""

    @property
    def finished(self) -> bool:
        """Whether the run is to end now, whatever is in training."""

    def next_jobs(self, wanted: int) -> Sequence[Task]:
        """What to train next, as much as is wanted; less if there is no more for now."""

    def tell(self, job: Any, outcome: Any) -> None:
        """Take in one training's outcome: Trained of a Job, Fitted of a Fit, Failed of either."""

    def lose(self, job: Any, reason: str) -> None:
        """The worker died on a job."""

    def look_around(self) -> None:
        """Called every now and then."""

    def interrupt(self) -> None:
        """Have the run end."""


def run(
    conductor: Conductor,
    worker: type[tune.Trainable],
    shared: Mapping[str, Any],
    site: Site,
    on_change: Callable[[], None],
) -> None:
    """Train what `conductor` asks for until it has finished; `on_change` is called every now and then.

    The `setup` of `worker` gets its config, a Desk as `desk`, and what is `shared`, which reaches each node once.
    SIGINT and SIGTERM end the run in order.
    """
    # Ray prints what it has to say of its nodes on stdout, which is for data.
    with (
        redirect_stdout(sys.stderr),
        scratch_directory() as scratch,
        connected(scratch, site) as places,
        _signals(conductor),
    ):
        desk = _desk()
        bridge = _Bridge(conductor, desk, places, on_change)
        trainable = tune.with_resources(
            tune.with_parameters(worker, desk=desk, **shared),
            lambda config: tune.PlacementGroupFactory([places.resources(config["kind"])]),
        )
        tuner = tune.Tuner(
            trainable,
            tune_config=tune.TuneConfig(
                search_alg=_Workers(bridge), scheduler=_Results(bridge), num_samples=-1, reuse_actors=False
            ),
            run_config=tune.RunConfig(
                name="run",
                storage_path=str(scratch / "tune"),
                stop=_Stop(bridge),
                failure_config=tune.FailureConfig(max_failures=0),
                verbose=0,
            ),
        )
        tuner.fit()
        if bridge.error is not None:
            raise bridge.error


def _desk() -> Any:
    """The desk beside this process, so that it lives as long."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(Desk).options(num_cpus=0, scheduling_strategy=here).remote()


class _Bridge:
    """Which worker has which job."""

    def __init__(self, conductor: Conductor, desk: Any, places: Places, on_change: Callable[[], None]) -> None:
        self.conductor = conductor
        self.error: Exception | None = None
        """What went wrong in the conductor: Tune would turn it into a text of its own."""
        self._desk = desk
        self._places = places
        self._on_change = on_change
        self._kinds: dict[str, Kind] = {}
        self._jobs: dict[str, Task] = {}
        self._idle: dict[str, None] = {}
        self._ready: deque[Task] = deque()
        """Jobs that nobody has yet."""
        self._untold: deque[tuple[Task, Any]] = deque()
        """Outcomes that the conductor has not seen yet."""
        self._actors: dict[str, Any] = {}
        self._stillborn = 0
        self._capacity: Counter[Kind] = Counter()
        self._counted = float("-inf")

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles what it is given into a file that nobody reads, and a study may know a password."""
        return {}

    @property
    def over(self) -> bool:
        """Whether the run is to end."""
        return self.error is not None or self.conductor.finished

    def hire(self, worker: str) -> dict[str, Any] | None:
        """The config of one more worker; None while there is one for each place."""
        if time.monotonic() - self._counted > _RECOUNT:
            self._capacity, self._counted = self._places.capacity(nodes()), time.monotonic()
        present = Counter(self._kinds.values())
        for kind in ("gpu", "cpu"):
            if present[kind] < self._capacity[kind]:
                self._kinds[worker] = kind
                return {"worker": worker, "kind": kind}
        return None

    def _hand_out(self) -> None:
        """Give every worker without a job its next one, as far as there are jobs."""
        self._give()
        while jobs := self.conductor.next_jobs(min(len(self._idle), _AT_ONCE)):
            self._ready.extend(jobs)
            self._give()

    def _give(self) -> None:
        while self._idle and self._ready:
            worker, job = next(iter(self._idle)), self._ready.popleft()
            del self._idle[worker]
            self._jobs[worker] = job
            self._desk.put.remote(worker, job)

    def _make_ready(self) -> None:
        """Some more jobs, if there are few and nobody waits."""
        wanted = ceil(len(self._jobs) / _AHEAD)
        if not self._idle and len(self._ready) < wanted:
            self._ready.extend(self.conductor.next_jobs(min(wanted, _AT_ONCE)))

    def take(self, worker: str, actor: Any, result: dict[str, Any]) -> None:
        """What a worker reports: that it has begun, then the result of each job, which is told when there is time."""
        self._actors[worker] = actor
        self._stillborn = 0
        job = self._jobs.pop(worker, None)
        if job is not None:
            self._untold.append((job, from_result(result)))
        self._idle[worker] = None
        self._give()

    def lose(self, worker: str, error: str) -> None:
        """A worker has died."""
        del self._kinds[worker]
        begun = self._actors.pop(worker, None) is not None
        self._idle.pop(worker, None)
        job = self._jobs.pop(worker, None)
        self._count()
        if job is not None:
            self.conductor.lose(job, error)
        if not begun:
            self._stillborn += 1
            if self._stillborn >= HOPELESS:
                raise ClusterError(
                    f"{HOPELESS} workers in a row died before they could begin, the last one with: {error}"
                )

    def _count(self) -> None:
        on_gpus = sum(self._kinds[worker] == "gpu" for worker in self._jobs)
        self.conductor.crew = Crew(workers=len(self._actors), at_work=len(self._jobs), gpus=on_gpus * self._places.gpus)

    def look_around(self) -> None:
        """What is to be done every now and then."""
        while self._untold:
            self.conductor.tell(*self._untold.popleft())
        self.conductor.look_around()
        self._hand_out()
        self._count()
        self._make_ready()
        self._on_change()

    def dismiss(self) -> None:
        """End all workers that have begun: Tune would wait 10 s for those that are busy or wait for a job."""
        for actor in self._actors.values():
            ray.kill(actor)
        self._actors.clear()

    def guard(self, step: Callable[[], Any]) -> Any:
        """Do a step unless one has failed; what fails ends the run."""
        if self.error is not None:
            return None
        try:
            return step()
        except Exception as error:
            self.error = error
            return None


class _Workers(Searcher):
    def __init__(self, bridge: _Bridge) -> None:
        super().__init__(metric="accuracy", mode="max")
        self._bridge = bridge

    def suggest(self, trial_id: str) -> Any:
        if self._bridge.over:
            return Searcher.FINISHED
        return self._bridge.guard(lambda: self._bridge.hire(trial_id))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Nothing: the scheduler has taken in the result, or the loss, before this is called."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the study is the only durable state."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing was saved."""


class _Results(FIFOScheduler):
    def __init__(self, bridge: _Bridge) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._bridge = bridge

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        actor = trial.temporary_state.ray_actor
        self._bridge.guard(lambda: self._bridge.take(trial.trial_id, actor, result))
        return str(TrialScheduler.CONTINUE)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        self._bridge.guard(lambda: self._bridge.lose(trial.trial_id, _first_line(trial.get_pickled_error())))


def _first_line(error: Exception | None) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


class _Stop(tune.Stopper):
    def __init__(self, bridge: _Bridge) -> None:
        self._bridge = bridge

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        self._bridge.guard(self._bridge.look_around)
        if self._bridge.over:
            self._bridge.dismiss()
        return self._bridge.over


@contextmanager
def _signals(conductor: Conductor) -> Iterator[None]:
    """SIGINT and SIGTERM ask the run to end."""

    def interrupt(_number: int, _frame: object) -> None:
        conductor.interrupt()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
