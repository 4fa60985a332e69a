"""Ray Tune as the far side of a Conductor: it asks for jobs, runs them on workers and hands back what they report.

Three of Tune's seams are filled: a Searcher gives it the next job, a TrialScheduler takes in every rung's result and
says whether the job goes on, and a Stopper ends the run. Tune decides nothing by itself.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.conductor import Conductor

# Ray and Tune read these when they are imported.
os.environ |= {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # everywhere, not only there: Ray then listens on the loopback alone
    "RAY_TRAIN_V2_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # a failed training reports its reason and no accuracy
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
}
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from workers.dataset import DataSet
from workers.job import Failed, Job, from_result
from workers.trainable import TrainJob, Workplace

_SCRATCH = "petitnet-"
_LONGEST_TEMPORARY = 18
"""Characters: Ray puts sockets some 85 characters deeper, and their paths are limited to 107 bytes."""
_STORE_BYTES = 256 * 2**20
"""Ray's shared memory, besides what the data set needs."""


@dataclass(frozen=True)
class Slots:
    """Trainings at once on this machine."""

    count: int
    cpus: float
    """Of each training."""
    gpus: float
    """Of each training; a fraction shares the device."""


def slots(workers: int | None) -> Slots:
    """One training a core; on a machine with GPUs eight a GPU, if there are as many cores."""
    import torch

    cores = len(os.sched_getaffinity(0))
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if gpus == 0:
        return Slots(workers or cores, 1, 0)
    shared = max(1, min(8, cores // gpus))
    count = workers or gpus * shared
    return Slots(count, min(1.0, cores / count), min(1.0, gpus / count))


def run(
    conductor: Conductor, data: DataSet, workplace: Workplace, places: Slots, on_change: Callable[[], None]
) -> None:
    """Train what `conductor` asks for until it has finished; `on_change` is called after every decision.

    SIGINT and SIGTERM end the run in order.
    """
    with _scratch() as scratch, _ray(scratch, places, data), _signals(conductor):
        bridge = _Bridge(conductor, on_change)
        trainable = tune.with_resources(
            tune.with_parameters(TrainJob, data=data, workplace=workplace),
            {"cpu": places.cpus, "gpu": places.gpus},
        )
        tuner = tune.Tuner(
            trainable,
            tune_config=tune.TuneConfig(
                search_alg=_Jobs(bridge),
                scheduler=_Results(bridge),
                num_samples=-1,
                max_concurrent_trials=places.count,
                reuse_actors=True,
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


class _Bridge:
    """Which of Tune's trials is which job."""

    def __init__(self, conductor: Conductor, on_change: Callable[[], None]) -> None:
        self.conductor = conductor
        self.on_change = on_change
        self.jobs: dict[str, Job] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles what it is given into a file that nobody reads, and a study may know a password."""
        return {}

    def begin(self, trial_id: str) -> dict[str, Any] | str | None:
        """A job's config; None if there is none for now, FINISHED if there will be none."""
        job = self.conductor.next_job()
        if job is None:
            return str(Searcher.FINISHED) if self.conductor.exhausted else None
        self.jobs[trial_id] = job
        self.on_change()
        return job.to_config()

    def take(self, trial_id: str, result: dict[str, Any]) -> bool:
        """A rung's result; True if the job goes on."""
        goes_on = self.conductor.tell(self.jobs[trial_id], from_result(result))
        if not goes_on:
            del self.jobs[trial_id]
        self.on_change()
        return goes_on

    def lose(self, trial_id: str, error: Exception | None) -> None:
        """The worker died on a job."""
        job = self.jobs.pop(trial_id)
        lines = str(error).strip().splitlines() if error else []
        reason = f"its worker died ({type(error).__name__}: {lines[0] if lines else 'no message'})"
        self.conductor.tell(job, Failed(epochs=0, reason=reason))
        self.on_change()


class _Jobs(Searcher):
    def __init__(self, bridge: _Bridge) -> None:
        super().__init__(metric="accuracy", mode="max")
        self._bridge = bridge

    def suggest(self, trial_id: str) -> Any:
        return self._bridge.begin(trial_id)

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
        goes_on = self._bridge.take(trial.trial_id, result)
        return str(TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        self._bridge.lose(trial.trial_id, trial.get_error())


class _Stop(tune.Stopper):
    def __init__(self, bridge: _Bridge) -> None:
        self._bridge = bridge

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._bridge.conductor.finished


@contextmanager
def _ray(scratch: Path, places: Slots, data: DataSet) -> Iterator[None]:
    """A Ray of our own on this machine, on the loopback interface, under a token nobody else has."""
    import torch

    ray.init(
        address="local",
        num_cpus=max(1, round(places.count * places.cpus)),
        num_gpus=torch.cuda.device_count() if places.gpus else 0,
        object_store_memory=_STORE_BYTES + 2 * data.images.nbytes,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=str(scratch),
    )
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _scratch() -> Iterator[Path]:
    """A directory for Ray's and Tune's files, removed afterwards, as are those of runs that were killed."""
    usual = tempfile.gettempdir()
    temporary = usual if len(usual) <= _LONGEST_TEMPORARY else "/tmp"
    for left in Path(temporary).glob(f"{_SCRATCH}*-*"):
        owner = left.name.removeprefix(_SCRATCH).split("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(left, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"{_SCRATCH}{os.getpid()}-", dir=temporary))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _signals(conductor: Conductor) -> Iterator[None]:
    """SIGINT and SIGTERM ask the run to end."""

    def interrupt(_number: int, _frame: object) -> None:
        conductor.interrupted = True

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
