"""One run of one study, from its settings to its result."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import optuna
from optuna.storages import RDBStorage
from sqlalchemy.engine import URL

from dashboards.progress import Snapshot, View
from dashboards.tables import ranking
from search import home, storage
from search.conductor import Conductor
from search.errors import NotFoundError, SearchError, SettingsError
from search.ledger import Ledger, names
from search.proposer import Proposer, Wish
from search.seeds import derive
from search.settings import CONFIRMATIONS, RunLimits, StudySettings, differences
from space.candidate import Candidate
from space.known_points import published_in
from workers import sources
from workers.dataset import DataSet

PUBLISHED = "published: "
"""What the origin of a published network begins with."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A run as the user asked for it."""

    url: URL
    study: str
    settings: StudySettings
    limits: RunLimits
    workers: int | None
    """Trainings at once; None to fill the machine."""
    cold_start: bool
    """Leave the published networks out."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a run ended."""

    study: str
    settings: StudySettings
    candidates: list[Candidate]
    winner: int | None
    seconds: float
    """Of this run."""
    interrupted: bool


def latest(store: RDBStorage, name: str) -> str | None:
    """The newest of `name`, `name-2`, `name-3`, ... in a database; None if there is none."""
    there = set(names(store))
    found = None
    for known in _numbered(name):
        if known not in there:
            return found
        found = known
    raise AssertionError("the names never end")


def fresh(store: RDBStorage, name: str) -> str:
    """The first of `name`, `name-2`, `name-3`, ... that is free."""
    there = set(names(store))
    return next(known for known in _numbered(name) if known not in there)


def _numbered(name: str) -> Iterator[str]:
    yield name
    place = 2
    while True:
        yield f"{name}-{place}"
        place += 1


def check_same(ledger: Ledger, settings: StudySettings) -> None:
    """SettingsError if a study was made with other settings; says which."""
    found = differences(ledger.settings, settings.to_json())
    if found:
        raise SettingsError(
            f"study {ledger.name} has other settings ({'; '.join(found)}); "
            "give the same ones, another --study-name, or --fresh"
        )


def finished(ledger: Ledger) -> Result:
    """What a study has found so far, without running it."""
    return Result(
        study=ledger.name,
        settings=StudySettings.from_json(ledger.settings),
        candidates=ledger.candidates(),
        winner=ledger.winner,
        seconds=0.0,
        interrupted=False,
    )


def run(request: Request, view: Callable[[], View]) -> Result:
    """Search until the target is met and confirmed, a limit is reached or the user ends it.

    Nothing is created before the data set is there and has passed its checks.
    """
    home.check_writable(home.home())
    data = sources.load(request.settings.dataset, home.data_directory())
    store = storage.open_storage(request.url)
    with storage.only_driver(request.url, request.study):
        ledger = Ledger.create(store, request.study, request.settings)
        check_same(ledger, request.settings)
        return _search(request, ledger, data, view)


def _search(request: Request, ledger: Ledger, data: DataSet, view: Callable[[], View]) -> Result:
    from search import tuning
    from workers.numerics import device, fastest
    from workers.trainable import Workplace

    settings = request.settings
    begun = time.monotonic()
    workplace = Workplace(
        numerics=fastest(home.numerics_file()), recipe=settings.recipe, timeout=request.limits.trial_timeout
    )
    places = tuning.slots(request.workers)
    _record_conditions(
        ledger, data, {"device": str(device()), "numerics": str(workplace.numerics), "slots": places.count}
    )
    conductor = _conductor(ledger, request)
    with view() as shown:

        def on_change() -> None:
            shown.update(_snapshot(request, ledger, conductor, begun))

        on_change()
        if not conductor.finished:
            try:
                tuning.run(conductor, data, workplace, places, on_change)
            except KeyboardInterrupt:  # before the run's own handler was there, or a second one
                conductor.interrupted = True
            finally:
                conductor.close()
    if conductor.hopeless is not None:
        raise SearchError(f"{conductor.hopeless}; see search status {ledger.name}")
    return Result(
        study=ledger.name,
        settings=settings,
        candidates=ledger.candidates(),
        winner=conductor.winner,
        seconds=time.monotonic() - begun,
        interrupted=conductor.interrupted,
    )


def _conductor(ledger: Ledger, request: Request) -> Conductor:
    """Take over a study: nothing that an earlier run left in training stays so, and its candidates are asked again."""
    settings = request.settings
    ledger.fail_abandoned()
    asked = len(ledger.candidates())
    ledger.use(
        optuna.samplers.TPESampler(seed=derive(settings.seed, "sampler", asked)),
        optuna.pruners.SuccessiveHalvingPruner(min_resource=settings.rungs[0], reduction_factor=settings.reduction),
    )
    wishes = [Wish(choices, f"again: #{number}", number) for number, choices in ledger.interrupted(settings.space)]
    if not request.cold_start:
        wishes += _published(ledger, settings)
    proposer = Proposer(ledger, settings.space, settings, wishes)
    return Conductor(ledger, proposer, settings, request.limits)


def _published(ledger: Ledger, settings: StudySettings) -> list[Wish]:
    """The published networks of the space that fit the budget and have not been asked yet."""
    known = ledger.origins()
    return [
        Wish(choices, PUBLISHED + network.name)
        for network, choices in published_in(settings.space)
        if network.parameters <= settings.budget and PUBLISHED + network.name not in known
    ]


def _record_conditions(ledger: Ledger, data: DataSet, more: dict[str, Any]) -> None:
    """Write down what a result depends on besides the settings; SettingsError if the data are not those of before."""
    before = ledger.conditions.get("data_sha256", data.checksum)
    if before != data.checksum:
        raise SettingsError(
            f"study {ledger.name} was begun on {data.name} with SHA-256 {before}, but the data have {data.checksum}"
        )
    packages = ("petitnet", "torch", "optuna", "ray", "numpy")
    ledger.record_conditions(
        {
            "data_sha256": data.checksum,
            "python": platform.python_version(),
            "machine": platform.platform(),
            **{package: version(package) for package in packages},
            **more,
        }
    )


def _snapshot(request: Request, ledger: Ledger, conductor: Conductor, begun: float) -> Snapshot:
    return Snapshot(
        study=ledger.name,
        budget=request.settings.budget,
        target=request.settings.target,
        confirmations=CONFIRMATIONS,
        candidates=ledger.candidates(),
        begun=begun,
        trained_before=conductor.trained_before,
        trials=request.limits.trials,
        deadline=conductor.deadline,
    )


def find(store: RDBStorage, place: str) -> Candidate:
    """The candidate that `STUDY/NUMBER` names; for `STUDY` alone its winner, or else its best so far."""
    study, slash, number = place.rpartition("/")
    if slash and number.isdecimal():
        return Ledger.open(store, study).candidate(int(number))
    ledger = Ledger.open(store, place)
    best = ranking(ledger.candidates(), ledger.winner)
    if not best:
        raise NotFoundError(f"study {place} has no trained candidate yet")
    return best[0]
