"""A study's record: every candidate is an Optuna trial, and what Optuna has no column for is a user attribute.

The names of those attributes are written down here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from search.errors import NotFoundError
from search.settings import StudySettings
from space.architecture import Architecture
from space.candidate import Candidate, Confirmation, State
from space.notation import write
from space.ranges import Choice, Choices, Range, Value
from space.search_space import SearchSpace
from workers.job import Trained

_SETTINGS = "settings"
_CONDITIONS = "conditions"
_WINNER = "winner"
_CONFIRMATION = "confirmation"
_LINE = "architecture"
_PARAMETERS = "parameters"
_MACS = "macs"
_PEAK = "peak_activation_bytes"
_OVER = "over_budget_by"
_ORIGIN = "origin"
_SEED = "seed"
_SECONDS = "seconds"
_REASON = "reason"
_INTERRUPTED = "interrupted"
_AGAIN = "again"

SAMPLED = "sampler"
MOST_ATTEMPTS = 3
"""Times a candidate is asked in all, if its training is interrupted each time."""

_STATES = {
    TrialState.WAITING: State.WAITING,
    TrialState.RUNNING: State.RUNNING,
    TrialState.COMPLETE: State.COMPLETE,
    TrialState.PRUNED: State.PRUNED,
    TrialState.FAIL: State.FAILED,
}


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """A space's ranges in Optuna's words."""
    return {dimension.name: _distribution(dimension) for dimension in space.dimensions}


def _distribution(dimension: Range | Choice) -> BaseDistribution:
    if isinstance(dimension, Range):
        return IntDistribution(dimension.low, dimension.high, log=dimension.log)
    return CategoricalDistribution(dimension.values)


class Ledger:
    """Reads and writes one study."""

    def __init__(self, storage: RDBStorage, study: optuna.Study) -> None:
        self._storage = storage
        self._study = study

    @classmethod
    def create(cls, storage: RDBStorage, name: str, settings: StudySettings) -> Ledger:
        """A new study with these settings, or the one of that name with the settings it has."""
        study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
        if _SETTINGS not in study.user_attrs:
            study.set_user_attr(_SETTINGS, settings.to_json())
        return cls(storage, study)

    @classmethod
    def open(cls, storage: RDBStorage, name: str) -> Ledger:
        """An existing study; NotFoundError names those there are."""
        try:
            ledger = cls(storage, optuna.load_study(storage=storage, study_name=name))
        except KeyError:
            there = ", ".join(own_names(storage)) or "none"
            raise NotFoundError(f"no study is called {name} (there are: {there})") from None
        if _SETTINGS not in ledger._study.user_attrs:
            raise NotFoundError(f"study {name} is not one of petitnet's")
        return ledger

    @property
    def name(self) -> str:
        return self._study.study_name

    @property
    def settings(self) -> dict[str, Any]:
        """What is fixed for the study, as it is stored."""
        return dict(self._study.user_attrs[_SETTINGS])

    @property
    def conditions(self) -> dict[str, Any]:
        """Versions, device and data of the last run."""
        return dict(self._study.user_attrs.get(_CONDITIONS, {}))

    def record_conditions(self, conditions: Mapping[str, Any]) -> None:
        self._study.set_user_attr(_CONDITIONS, dict(conditions))

    @property
    def winner(self) -> int | None:
        """Number of the confirmed winner."""
        found = self._study.user_attrs.get(_WINNER)
        return None if found is None else int(found)

    def record_winner(self, number: int) -> None:
        self._study.set_user_attr(_WINNER, number)

    def use(self, sampler: optuna.samplers.BaseSampler, pruner: optuna.pruners.BasePruner) -> None:
        """Who proposes and who decides on promotion, for this process."""
        self._study.sampler = sampler
        self._study.pruner = pruner

    def enqueue(self, choices: Choices, origin: str, again: int | None = None) -> None:
        """Have these choices asked next. `again` is the number of the interrupted candidate they repeat."""
        attributes: dict[str, Any] = {_ORIGIN: origin} | ({} if again is None else {_AGAIN: again})
        self._study.enqueue_trial(dict(choices), user_attrs=attributes)

    def ask(self, space: SearchSpace) -> tuple[Trial, dict[str, Value]]:
        """A new trial, with a value for every range of the space."""
        trial = self._study.ask(distributions(space))
        return trial, dict(trial.params)

    def describe(self, trial: Trial, architecture: Architecture, seed: int) -> None:
        """Write down what the candidate is."""
        totals = architecture.totals
        trial.set_user_attr(_LINE, write(architecture))
        trial.set_user_attr(_PARAMETERS, totals.parameters)
        trial.set_user_attr(_MACS, totals.macs)
        trial.set_user_attr(_PEAK, totals.peak_activation_bytes)
        trial.set_user_attr(_SEED, seed)

    def constrain(self, trial: Trial, parameters: int, budget: int) -> None:
        """Tell the sampler how far within or over the budget the candidate is."""
        trial.set_constraint(_PARAMETERS, parameters - budget)

    def tell_over_budget(self, trial: Trial, parameters: int, budget: int) -> None:
        trial.set_user_attr(_OVER, parameters - budget)
        trial.set_user_attr(_REASON, f"{parameters} parameters, {parameters - budget} over the budget of {budget}")
        self._study.tell(trial, state=TrialState.PRUNED)

    def report(self, trial: Trial, outcome: Trained) -> None:
        """A rung's result."""
        trial.report(outcome.accuracy, outcome.epochs)
        trial.set_user_attr(_SECONDS, trial.user_attrs.get(_SECONDS, 0.0) + outcome.seconds)

    def tell_complete(self, trial: Trial, accuracy: float) -> None:
        self._study.tell(trial, accuracy)

    def tell_pruned(self, trial: Trial, epochs: int, reduction: int) -> None:
        trial.set_user_attr(_REASON, f"not in the best 1 of {reduction} after {epochs} epochs")
        self._study.tell(trial, state=TrialState.PRUNED)

    def tell_failed(self, trial: Trial | int, reason: str, *, interrupted: bool = False) -> None:
        """`interrupted`: the candidate itself did nothing wrong and may be asked again."""
        number = trial if isinstance(trial, int) else trial.number
        identity = self._storage.get_trial_id_from_study_id_trial_number(self._study._study_id, number)
        self._storage.set_trial_user_attr(identity, _REASON, reason)
        self._storage.set_trial_user_attr(identity, _INTERRUPTED, interrupted)
        self._study.tell(number, state=TrialState.FAIL)

    def record_confirmation(self, number: int, place: int, confirmation: Confirmation) -> None:
        """A study attribute each: Optuna's finished trials cannot be written to."""
        value = {name: getattr(confirmation, name) for name in Confirmation.__dataclass_fields__}
        self._study.set_user_attr(f"{_CONFIRMATION}:{number}:{place}", value)

    def confirmations(self, number: int) -> dict[int, Confirmation]:
        """The confirmations of a candidate by their place."""
        return self._all_confirmations().get(number, {})

    def _all_confirmations(self) -> dict[int, dict[int, Confirmation]]:
        found: dict[int, dict[int, Confirmation]] = {}
        for key, value in sorted(self._study.user_attrs.items()):
            kind, *places = key.split(":")
            if kind == _CONFIRMATION:
                number, place = map(int, places)
                found.setdefault(number, {})[place] = Confirmation(**value)
        return found

    def candidates(self) -> list[Candidate]:
        """All of them, by number."""
        confirmations = self._all_confirmations()
        return [_candidate(trial, confirmations.get(trial.number, {})) for trial in self._trials()]

    def candidate(self, number: int) -> Candidate:
        """One of them; NotFoundError."""
        candidates = self.candidates()
        if not 0 <= number < len(candidates):
            raise NotFoundError(f"study {self.name} has no candidate {number} (it has {len(candidates)})")
        return candidates[number]

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def fail_abandoned(self) -> None:
        """Tell FAIL for every candidate that a driver left in training; the caller knows that no driver is alive."""
        for trial in self._trials():
            if trial.state == TrialState.RUNNING:
                self.tell_failed(trial.number, "interrupted: the process that trained it ended", interrupted=True)

    def interrupted(self, space: SearchSpace) -> list[tuple[int, Choices]]:
        """Candidates to ask again, with their choices: interrupted, not asked again yet, not too often."""
        trials = self._trials()
        asked = {trial.user_attrs[_AGAIN] for trial in trials if _AGAIN in trial.user_attrs}
        names = {dimension.name for dimension in space.dimensions}
        return [
            (trial.number, trial.params)
            for trial in trials
            if trial.user_attrs.get(_INTERRUPTED)
            and trial.number not in asked
            and trial.params.keys() == names
            and self._attempts(trials, trial) < MOST_ATTEMPTS
        ]

    def _attempts(self, trials: list[FrozenTrial], trial: FrozenTrial) -> int:
        before = trial.user_attrs.get(_AGAIN)
        return 1 if before is None else 1 + self._attempts(trials, trials[before])

    def origins(self) -> set[str]:
        """Where the candidates so far came from."""
        return {trial.user_attrs.get(_ORIGIN, SAMPLED) for trial in self._trials()}


def names(storage: RDBStorage) -> list[str]:
    """Names of all studies in a database, those of other programs included."""
    return sorted(study.study_name for study in storage.get_all_studies())


def own_names(storage: RDBStorage) -> list[str]:
    """Names of petitnet's studies in a database."""
    return sorted(study.study_name for study in storage.get_all_studies() if _SETTINGS in study.user_attrs)


def _candidate(trial: FrozenTrial, confirmations: Mapping[int, Confirmation]) -> Candidate:
    attributes = trial.user_attrs
    return Candidate(
        number=trial.number,
        state=State.OVER_BUDGET if _OVER in attributes else _STATES[trial.state],
        origin=attributes.get(_ORIGIN, SAMPLED),
        line=attributes.get(_LINE, ""),
        parameters=attributes.get(_PARAMETERS, 0),
        macs=attributes.get(_MACS, 0),
        peak_activation_bytes=attributes.get(_PEAK, 0),
        seed=attributes.get(_SEED, 0),
        rungs=dict(sorted(trial.intermediate_values.items())),
        seconds=attributes.get(_SECONDS, 0.0),
        reason=attributes.get(_REASON, ""),
        interrupted=attributes.get(_INTERRUPTED, False),
        confirmations=tuple(confirmations[place] for place in sorted(confirmations)),
    )
