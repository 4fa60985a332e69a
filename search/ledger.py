"""A study's record: every candidate is an Optuna trial, and what is known of the whole is the study's user attributes.

The names of those attributes are written down here and in search.reruns, those of the trials in search.records, and
nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.artifacts import Artifact, keep
from search.errors import NotFoundError
from search.promotion import Reached
from search.records import (
    AGAIN,
    DRIVER,
    IDENTITY,
    INTERRUPTED,
    LOSSES,
    ORIGIN,
    OVER,
    PARAMETERS,
    PRUNING,
    REASON,
    SECONDS,
    as_candidate,
    description,
    distributions,
    in_training,
    is_taken,
    over_budget,
)
from search.reruns import Reruns, with_reruns
from search.seeds import derive
from search.seen_study import NarrowStudy, SeenStudy
from search.settings import StudySettings
from search.storage import Store
from search.study_attributes import StudyAttributes, is_recent
from search.verifications import Verifications, by_length
from search.wish import SAMPLED, Wish
from space.architecture import Architecture
from space.candidate import Candidate, PrunedFrom, State
from space.ranges import Choices, Value
from space.search_space import SearchSpace
from space.trail import Win

_SETTINGS = "settings"
_CONDITIONS = "conditions"
_TRAIL = "trail"
_FIGURE = "dashboard:plot_data:pareto"
"""Where optuna-dashboard looks for figures; the last word is its title there."""

MOST_ATTEMPTS = 3
"""Times a candidate is asked in all, if its driver ends or dies each time."""
_NOBODY = -1
"""Driver of a candidate that this process begins without being a driver."""


@dataclass(frozen=True)
class RungResult:
    """What a candidate reached at one rung."""

    epochs: int
    accuracy: float
    """On the validation fold; a fraction."""
    seconds: float
    """Of all its rungs so far."""
    losses: tuple[float, ...] = ()
    """Mean training loss of each epoch of this rung."""


class Ledger:
    """Reads and writes one study. Any number of processes may do so at once."""

    def __init__(self, store: Store, study: optuna.Study) -> None:
        self._store = store
        self._storage = store.optuna
        self._study = study
        self._identity = self._storage.get_study_id_from_name(study.study_name)
        self._finished: dict[int, Candidate] = {}
        self._read: list[FrozenTrial] = []
        """As of the last reading, and what was written here since."""
        self._read_at = float("-inf")
        """time.monotonic() of it."""
        self._attributes = StudyAttributes(store.optuna, study, self._identity)
        self.reruns = Reruns(store, study.study_name, self._attributes)
        self.verifications = Verifications(store, study.study_name)
        self.driver = _NOBODY
        """Number of the driver that this process is; written down with each candidate it begins."""

    @classmethod
    def create(cls, store: Store, name: str, settings: StudySettings) -> Ledger:
        """A new study with these settings, or the one of that name with the settings it has."""
        with store.exclusively(name):
            study = optuna.create_study(
                storage=store.optuna, study_name=name, direction="maximize", load_if_exists=True
            )
            if _SETTINGS not in study.user_attrs:
                study.set_user_attr(_SETTINGS, settings.to_json())
        return cls(store, study)

    @classmethod
    def open(cls, store: Store, name: str) -> Ledger:
        """An existing study; NotFoundError names those there are."""
        try:
            ledger = cls(store, optuna.load_study(storage=store.optuna, study_name=name))
        except KeyError:
            there = ", ".join(own_names(store)) or "none"
            raise NotFoundError(f"no study is called {name} (there are: {there})") from None
        if _SETTINGS not in ledger._attributes.all():
            raise NotFoundError(f"study {name} is not one of petitnet's")
        return ledger

    @property
    def name(self) -> str:
        return self._study.study_name

    @property
    def store(self) -> Store:
        """The database that the study is in."""
        return self._store

    @property
    def settings(self) -> dict[str, Any]:
        """What is fixed for the study, as it is stored."""
        return dict(self._attributes.all()[_SETTINGS])

    @property
    def conditions(self) -> dict[str, Any]:
        """Versions, device and data of the last run."""
        return dict(self._attributes.all().get(_CONDITIONS, {}))

    def record_conditions(self, conditions: Mapping[str, Any]) -> None:
        self._attributes.write(_CONDITIONS, dict(conditions))

    @property
    def trail(self) -> tuple[Win, ...]:
        """The confirmed winners in their order, each smaller than the one before."""
        rows = self._attributes.all().get(_TRAIL, [])
        return tuple(Win(**row | {"when": datetime.fromisoformat(row["when"])}) for row in rows)

    @property
    def winner(self) -> int | None:
        """Number of the smallest confirmed winner."""
        trail = self.trail
        return trail[-1].number if trail else None

    def record_winner(self, number: int) -> None:
        """Add a confirmed candidate to the trail, unless a winner is there that is as small."""
        win = Win(number=number, parameters=self.candidate(number).parameters, when=datetime.now().astimezone())
        with self._store.exclusively(self.name):
            trail = self.trail
            if not trail or win.parameters < trail[-1].parameters:
                rows = [asdict(one) | {"when": one.when.isoformat(timespec="seconds")} for one in (*trail, win)]
                self._attributes.write(_TRAIL, rows)

    def post_figure(self, figure: str) -> None:
        """Show a plotly figure, as JSON, on the study's page in the Optuna dashboard.

        The dashboard puts together what it finds in parts; one part is written at once or not at all.
        """
        self._storage.set_study_system_attr(self._identity, f"{_FIGURE}:0", figure)

    def sample(
        self, sampler: optuna.samplers.BaseSampler, space: SearchSpace, aim: int | None = None
    ) -> dict[str, Value]:
        """A value for every range of the space, by what the study holds, or held a moment ago; nothing is written.

        `aim` is the most parameters that the network should have, where that is less than the study's budget.
        """
        ranges = distributions(space)
        unstored = create_trial(state=TrialState.RUNNING)
        trials = self._recent_trials()
        study = SeenStudy(self._study, trials) if aim is None else NarrowStudy(self._study, trials, PARAMETERS, aim)
        chosen = sampler.sample_relative(study, unstored, ranges)
        for name, distribution in ranges.items():
            if name not in chosen:
                chosen[name] = sampler.sample_independent(study, unstored, name, distribution)
        return {name: chosen[name] for name in ranges}

    def begin(
        self, space: SearchSpace, choices: Choices, budget: int, origin: str = SAMPLED, *, again: int | None = None
    ) -> int:
        """Write down a candidate that is going to be trained; its number. See Wish for the rest."""
        return self.begin_all([Wish(space, choices, origin, again)], budget)[0]

    def begin_all(self, wishes: Sequence[Wish], budget: int) -> list[int]:
        """Write down candidates that are going to be trained, whole and all at once; their numbers."""
        trials = []
        for wish in wishes:
            if wish.rejected is not None:
                trials.append(over_budget(wish.rejected, budget))
            trials.append(self._begun(wish, budget))
        numbers = self._create(trials)
        return [number for number, trial in zip(numbers, trials, strict=True) if trial.state == TrialState.RUNNING]

    def _begun(self, wish: Wish, budget: int) -> FrozenTrial:
        trial = in_training(wish, budget)
        trial.user_attrs[DRIVER] = self.driver
        if wish.again is not None:
            trial.user_attrs[AGAIN] = wish.again
        return trial

    def reject(self, space: SearchSpace, choices: Choices, budget: int, origin: str = SAMPLED) -> int:
        """Write down a candidate over budget, told PRUNED, with its count; its number."""
        return self._create([over_budget(Wish(space, choices, origin), budget)])[0]

    def add_pruned(self, architecture: Architecture, parameters: int, pruning: PrunedFrom, result: RungResult) -> int:
        """Write down what pruning has made of a candidate, trained to the end; its number.

        `parameters` are those that are left. It has no choices, so that no sampler learns from it.
        """
        trial = create_trial(
            state=TrialState.COMPLETE,
            value=result.accuracy,
            intermediate_values={result.epochs: result.accuracy},
            user_attrs=description(architecture)
            | {
                PARAMETERS: parameters,
                ORIGIN: str(pruning),
                PRUNING: asdict(pruning),
                SECONDS: result.seconds,
            },
        )
        return self._create([trial])[0]

    def _create(self, trials: Sequence[FrozenTrial]) -> list[int]:
        made = self._storage.create(self._identity, trials)
        for trial in made:
            self._note(trial)
        return [trial.number for trial in made]

    def _note(self, trial: FrozenTrial | None) -> None:
        """Keep what was read in step with what is written here, unless others have written in between."""
        if trial is None or trial.number > len(self._read):
            self._read_at = float("-inf")
        else:
            self._read[trial.number : trial.number + 1] = [trial]

    def report(self, number: int, result: RungResult) -> bool:
        """A candidate that goes on; False if it is no longer ours."""
        return self._record(number, TrialState.RUNNING, {}, result)

    def rung(self, epochs: int) -> list[Reached]:
        """What all candidates of the study have reached after so many epochs, whoever trained them."""
        return [
            Reached(trial.user_attrs[PARAMETERS], trial.intermediate_values[epochs])
            for trial in self._trials()
            if epochs in trial.intermediate_values
        ]

    def tell_complete(self, number: int, result: RungResult, artifacts: Sequence[Artifact] = ()) -> bool:
        """A candidate that ends at the top rung; False if it is closed, by a driver that took this one for dead."""
        return self._record(number, TrialState.COMPLETE, {}, result, keep(self._store, artifacts))

    def tell_pruned(self, number: int, result: RungResult, reason: str) -> bool:
        """A candidate that ends at a lower rung; False as above."""
        return self._record(number, TrialState.PRUNED, {REASON: reason}, result)

    def tell_failed(self, number: int, reason: str, *, interrupted: bool = False) -> bool:
        """`interrupted`: the candidate itself did nothing wrong and may be asked again. False as above."""
        return self._record(number, TrialState.FAIL, {REASON: reason, INTERRUPTED: interrupted})

    def _record(
        self,
        number: int,
        state: TrialState,
        attributes: dict[str, Any],
        result: RungResult | None = None,
        hidden: Mapping[str, Any] = MappingProxyType({}),
    ) -> bool:
        results, curve = {}, {}
        if result is not None:
            attributes = attributes | {SECONDS: result.seconds}
            results[result.epochs] = result.accuracy
            curve[f"{LOSSES}:{result.epochs}"] = [float(f"{loss:.5g}") for loss in result.losses]
        trial_id = self._trial_id(number)
        try:
            self._storage.record(trial_id, attributes, results, state, hidden=curve | dict(hidden))
        except UpdateFinishedTrialError:
            return False
        self._note(self._storage.latest(trial_id))
        return True

    def _trial_id(self, number: int) -> int:
        if number < len(self._read):
            return self._read[number]._trial_id
        return self._storage.get_trial_id_from_study_id_trial_number(self._identity, number)

    def recent(self) -> list[Candidate]:
        """All candidates as they are, or were a moment ago, by number; without their verifications."""
        attributes = self._attributes.recent()
        later = self._read_at >= self._attributes.read_at  # so that all candidates that the attributes name are there
        return self._candidates(self._recent_trials() if later else self._trials(), attributes)

    def candidates(self) -> list[Candidate]:
        """All of them, by number."""
        attributes = self._attributes.all()
        found = self._candidates(self._trials(), attributes)
        for number, runs in self.verifications.tested().items():
            longest, shorter = by_length(runs)
            found[number] = replace(found[number], verifications=longest, shorter=shorter)
        return found

    def _candidates(self, trials: Sequence[FrozenTrial], attributes: Mapping[str, Any]) -> list[Candidate]:
        return with_reruns([self._candidate(trial) for trial in trials], attributes)

    def _candidate(self, trial: FrozenTrial) -> Candidate:
        """Without repeats and confirmations; what is finished stays as it is and is read once."""
        known = self._finished.get(trial.number)
        if known is None:
            known = as_candidate(trial, seed=self.seed(trial.number))
            if trial.state.is_finished():
                self._finished[trial.number] = known
        return known

    def seed(self, number: int) -> int:
        """Of a candidate's training."""
        return derive(self.settings_seed, "training", number)

    @cached_property
    def settings_seed(self) -> int:
        """The study's own seed."""
        return int(self.settings["seed"])

    def candidate(self, number: int) -> Candidate:
        """One of them; NotFoundError."""
        candidates = self.candidates()
        if not 0 <= number < len(candidates):
            raise NotFoundError(f"study {self.name} has no candidate {number} (it has {len(candidates)})")
        return candidates[number]

    def known(self, wanted: str) -> int | None:
        """Number of the candidate of this identity, trained or in training, when `taken` was last asked; or None.

        Those over budget, those that only their run's end interrupted and those that pruning has made are none.
        """
        for trial in self._read:
            if trial.user_attrs.get(IDENTITY) == wanted:
                candidate = self._candidate(trial)
                if candidate.is_trained or candidate.state == State.RUNNING:
                    return candidate.number
        return None

    def same_network(self, candidate: Candidate) -> list[Candidate]:
        """All candidates that are the same network as one, itself among them: an interrupted one is asked again."""
        everyone = self.candidates()
        same = [one for one in everyone if one.identity and one.identity == candidate.identity]
        return same or [candidate]

    def on_front(self, number: int, accuracy: float) -> Candidate | None:
        """A candidate, if nothing that was trained to the end is as accurate with as few parameters; else None."""
        if number < len(self._read) and self._is_beaten(self._read, number, accuracy):
            return None  # what beats it was there already when the study was last read
        trials = self._trials()
        return None if self._is_beaten(trials, number, accuracy) else self._candidate(trials[number])

    def _is_beaten(self, trials: list[FrozenTrial], number: int, accuracy: float) -> bool:
        parameters = trials[number].user_attrs[PARAMETERS]
        return any(
            trial.state == TrialState.COMPLETE
            and (trial.value or 0.0) >= accuracy
            and trial.user_attrs[PARAMETERS] <= parameters
            and PRUNING not in trial.user_attrs
            for trial in trials
        )

    def choices(self) -> dict[int, Choices]:
        """What was chosen for each candidate, by number; without those that pruning has made."""
        return {trial.number: trial.params for trial in self._trials() if PRUNING not in trial.user_attrs}

    def within_budget(self) -> int:
        """How many candidates are not over budget, or were not a moment ago."""
        return sum(OVER not in trial.user_attrs for trial in self._recent_trials())

    def taken(self) -> int:
        """How many candidates are trained or in training, by any driver; not those that pruning has made."""
        return sum(map(is_taken, self._trials()))

    def _recent_trials(self) -> list[FrozenTrial]:
        return self._read if is_recent(self._read_at) else self._trials()

    def _trials(self) -> list[FrozenTrial]:
        self._read, self._read_at = self._study.get_trials(deepcopy=False), time.monotonic()
        return self._read

    def fail_abandoned(self, living: Callable[[], Collection[int]]) -> None:
        """Tell FAIL for every candidate in training whose driver is not among the `living`.

        Those are asked for after the candidates are read: a driver that joins in between has none among them.
        """
        running = [trial for trial in self._trials() if trial.state == TrialState.RUNNING]
        alive = living() if running else ()
        for trial in running:
            if trial.user_attrs.get(DRIVER) not in alive:
                self.tell_failed(trial.number, "interrupted: the process that trained it ended", interrupted=True)

    def fail_strays(self, training: Collection[int]) -> None:
        """Tell FAIL for candidates that are ours by the record and not in training: an outage made them twice."""
        for trial in self._trials():
            ours = trial.state == TrialState.RUNNING and trial.user_attrs.get(DRIVER) == self.driver
            if ours and trial.number not in training:
                self.tell_failed(trial.number, "written twice: the database went away in between")

    def interrupted(self, space: SearchSpace) -> list[tuple[int, Choices]]:
        """Candidates to ask again, with their choices: interrupted, not asked again yet, not too often."""
        trials = self._trials()
        asked = {trial.user_attrs[AGAIN] for trial in trials if AGAIN in trial.user_attrs}
        names = {dimension.name for dimension in space.dimensions}
        return [
            (trial.number, trial.params)
            for trial in trials
            if trial.user_attrs.get(INTERRUPTED)
            and trial.number not in asked
            and trial.params.keys() == names
            and self._attempts(trials, trial) < MOST_ATTEMPTS
        ]

    def _attempts(self, trials: list[FrozenTrial], trial: FrozenTrial) -> int:
        before = trial.user_attrs.get(AGAIN)
        return 1 if before is None else 1 + self._attempts(trials, trials[before])

    def origins(self) -> set[str]:
        """Where the candidates so far came from."""
        return {trial.user_attrs.get(ORIGIN, SAMPLED) for trial in self._trials()}


def names(store: Store) -> list[str]:
    """Names of all studies in a database, those of other programs included."""
    return sorted(study.study_name for study in store.optuna.get_all_studies())


def own_names(store: Store) -> list[str]:
    """Names of petitnet's studies in a database."""
    return sorted(study.study_name for study in store.optuna.get_all_studies() if _SETTINGS in study.user_attrs)
