"""One run of one study, from its settings to its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.engine import URL

from dashboards.progress import Snapshot, View
from dashboards.tables import ranking
from search import conditions, home, ray_environment, storage
from search.conductor import Conductor
from search.drivers import Presence
from search.errors import NotFoundError, SearchError, SettingsError
from search.ledger import Ledger, names
from search.patience import STORAGE_TIMEOUT, Patience
from search.poster import Poster
from search.proposer import Proposer
from search.samplers import SAMPLERS, make
from search.seeds import derive
from search.settings import CONFIRMATIONS, RunLimits, StudySettings, differences
from search.site import Site
from search.storage import Store
from space.candidate import Candidate
from space.trail import Trail, unmet, winners
from workers import sources
from workers.dataset import DataSet

_REFRESH = 0.5
"""Seconds between two pictures of a run: each reads the study."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A run as the user asked for it."""

    url: URL
    study: str
    settings: StudySettings
    limits: RunLimits
    site: Site
    cold_start: bool
    """Leave the published networks out."""
    sampler: str = SAMPLERS[0]
    """Who proposes candidates."""
    storage_timeout: float = STORAGE_TIMEOUT
    """Seconds that an outage of the database may last."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a run ended."""

    study: str
    settings: StudySettings
    candidates: list[Candidate]
    trail: Trail
    """The confirmed winners, each smaller than the one before."""
    seconds: float
    """Of this run."""
    interrupted: bool
    stopped: bool = False
    """Whether `search stop` ended it."""
    spent: bool = False
    """Whether nothing new was found to train."""
    shrink: bool = False
    """Whether it was to go on below the smallest winner."""
    sampler: str = SAMPLERS[0]
    """Who proposed candidates."""

    @property
    def is_met(self) -> bool:
        """Whether every budget has a winner."""
        return not unmet(self.settings.budgets, self.trail)

    @property
    def winner(self) -> Candidate | None:
        """The smallest."""
        return self.candidates[self.trail[-1].number] if self.trail else None

    @property
    def winners(self) -> list[Candidate]:
        """Those of the budgets, each once, the smallest first."""
        numbers = dict.fromkeys(winners(self.settings.budgets, self.trail).values())
        return [self.candidates[number] for number in numbers]

    @property
    def target_verified(self) -> bool:
        """Whether the verifications of each winner reach the target in the mean."""
        return all((winner.verified_accuracy or 0.0) >= self.settings.target for winner in self.winners)


def latest(store: Store, name: str) -> str | None:
    """The newest of `name`, `name-2`, `name-3`, ... in a database; None if there is none."""
    there = set(names(store))
    found = None
    for known in _numbered(name):
        if known not in there:
            return found
        found = known
    raise AssertionError("the names never end")


def fresh(store: Store, name: str) -> str:
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
        trail=ledger.trail,
        seconds=0.0,
        interrupted=False,
    )


def run(request: Request, view: Callable[[], View]) -> Result:
    """Search until the target is met and confirmed for every budget, a limit is reached or the user ends it.

    Nothing is created before the data set is there and has passed its checks. Other drivers may work on the same study.
    """
    home.check_writable(home.home())
    data = sources.load(request.settings.dataset, home.data_directory())
    store = storage.open_or_create(request.url, Patience(request.storage_timeout))
    try:
        ledger = Ledger.create(store, request.study, request.settings)
        check_same(ledger, request.settings)
        presence = Presence(store.engine, request.study)
        ledger.driver = presence.number
        try:
            return _search(request, ledger, presence, data, view)
        finally:
            presence.leave()
    finally:
        store.close()


def _search(request: Request, ledger: Ledger, presence: Presence, data: DataSet, view: Callable[[], View]) -> Result:
    begun = time.monotonic()
    conductor = _conductor(ledger, presence, request)
    with view() as shown:
        ledger.store.patience.tell = shown.notice
        picture = _Picture(request, ledger, conductor, shown, begun)
        picture.draw()
        if not conductor.finished:
            try:
                _train(request, ledger, conductor, data, picture)
            except KeyboardInterrupt:  # before the run's own handler was there, or a second one
                conductor.interrupt()
            finally:
                conductor.close()
        picture.finish()
    if conductor.hopeless is not None:
        raise SearchError(f"{conductor.hopeless}; see search status {ledger.name}")
    return Result(
        study=ledger.name,
        settings=request.settings,
        candidates=ledger.candidates(),
        trail=conductor.trail,
        seconds=time.monotonic() - begun,
        interrupted=conductor.interrupted,
        stopped=conductor.stopped,
        spent=conductor.spent,
        shrink=request.limits.shrink,
        sampler=request.sampler,
    )


def _train(request: Request, ledger: Ledger, conductor: Conductor, data: DataSet, picture: _Picture) -> None:
    """Have Ray's workers do what the conductor asks for."""
    ray_environment.prepare(request.site.address)
    from search import tuning
    from search.demand import with_demand
    from search.ray_connection import own_places
    from workers.numerics import device, fastest, machine
    from workers.trainable import TrainJob, Workplace

    numerics = fastest(home.numerics_file())
    site = with_demand(request.site, data, request.settings.recipe.batch)
    conditions.record(
        ledger,
        data,
        {
            "device": str(device()),
            "numerics": str(numerics),
            "sampler": request.sampler,
            "slots": own_places(site).most if site.address is None else "those of a cluster",
        },
    )
    workplace = Workplace(recipe=request.settings.recipe, numerics={machine(): numerics})
    tuning.run(conductor, TrainJob, {"data": data, "workplace": workplace}, site, picture.refresh)


def _conductor(ledger: Ledger, presence: Presence, request: Request) -> Conductor:
    settings, limits = request.settings, request.limits
    asked = len(ledger.candidates())
    proposer = Proposer(
        ledger,
        settings,
        make(
            request.sampler,
            settings.space,
            derive(settings.seed, "sampler", asked, presence.ordinal),
            settings.budget,
        ),
        limits.trials,
        ordinal=presence.ordinal,
        cold_start=request.cold_start,
    )
    return Conductor(ledger, proposer, settings, limits, presence)


class _Picture:
    """Draws a run for whoever watches, not more often than is of use."""

    def __init__(self, request: Request, ledger: Ledger, conductor: Conductor, view: View, begun: float) -> None:
        self._request = request
        self._ledger = ledger
        self._conductor = conductor
        self._view = view
        self._begun = begun
        self._drawn = float("-inf")
        self._poster = Poster(ledger, request.settings)

    def refresh(self) -> None:
        """Draw, unless that was just done."""
        if time.monotonic() - self._drawn >= _REFRESH:
            self.draw()

    def draw(self) -> None:
        """Read the study and show it."""
        candidates = self._ledger.candidates()
        self._view.update(
            Snapshot(
                study=self._ledger.name,
                budgets=self._request.settings.budgets,
                target=self._request.settings.target,
                trail=self._conductor.trail,
                ceiling=max(self._conductor.aims, default=0),
                confirmations=CONFIRMATIONS,
                candidates=candidates,
                begun=self._begun,
                trained_before=self._conductor.trained_before,
                trials=self._request.limits.trials,
                deadline=self._conductor.deadline,
                dataset=self._request.settings.dataset,
                workers=self._conductor.crew.workers,
                at_work=self._conductor.crew.at_work,
                gpus=self._conductor.crew.gpus,
            )
        )
        self._poster.refresh(candidates)
        self._drawn = time.monotonic()

    def finish(self) -> None:
        """Draw how it has ended."""
        self.draw()
        self._poster.post(self._ledger.candidates())


def find(ledger: Ledger, number: int | None) -> Candidate:
    """The candidate of that number; without one the study's smallest winner, or else its best so far."""
    if number is not None:
        return ledger.candidate(number)
    best = ranking(ledger.candidates(), ledger.winner)
    if not best:
        raise NotFoundError(f"study {ledger.name} has no trained candidate yet")
    return best[0]
