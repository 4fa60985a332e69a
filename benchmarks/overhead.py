"""What a candidate costs besides its training: asking, counting, storing, Ray Tune's hand-over, deciding.

A search of short trainings on scikit-learn's digits, with real Ray Tune workers and a real SQLite study. The overhead
of a candidate is the time its slot was taken and not trained in: slots x (last end - first start) less all training
seconds, over the candidates, without those of the first seconds in which the workers start.
Run with `make bench`, or `python benchmarks/overhead.py`.
"""

from __future__ import annotations

import os
import platform
import tempfile

import optuna
from rich.console import Console

from dashboards.progress import PlainView
from search import storage
from search.run import Request, run
from search.settings import RunLimits, StudySettings
from search.site import Site

CANDIDATES = 120
FIRST = 20
"""Candidates left out, while the workers start."""
LIMIT = 0.3
"""Seconds of overhead a candidate may cost."""


def main() -> None:
    """Print the overhead; an assertion fails if it is over its limit."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["PETITNET_HOME"] = home
        slots = len(os.sched_getaffinity(0))
        request = Request(
            url=storage.parse(f"sqlite:///{home}/studies.db"),
            study="overhead",
            settings=StudySettings.make("digits", 3000, 1.0),
            limits=RunLimits(trials=CANDIDATES),
            site=Site(workers=slots),
            cold_start=True,
        )
        run(request, lambda: PlainView(Console(quiet=True)))
        store = storage.open_or_create(request.url)
        trials = optuna.load_study(storage=store.optuna, study_name="overhead").get_trials(deepcopy=False)
    told = sum("over_budget_by" in trial.user_attrs for trial in trials)
    trained = [trial for trial in trials if "seconds" in trial.user_attrs][FIRST:]
    begun = min(trial.datetime_start for trial in trained if trial.datetime_start)
    ended = max(trial.datetime_complete for trial in trained if trial.datetime_complete)
    training = sum(trial.user_attrs["seconds"] for trial in trained)
    overhead = (slots * (ended - begun).total_seconds() - training) / len(trained)
    print(
        f"Python {platform.python_version()}, optuna {optuna.__version__}, {platform.machine()}, {slots} slots, SQLite"
    )
    print(f"{len(trained)} candidates trained for {training / len(trained):.2f} s each, {told} over budget in all")
    print(f"overhead      {overhead:10.3f} s a candidate")
    assert overhead < LIMIT, f"overhead must be under {LIMIT} s a candidate"


if __name__ == "__main__":
    main()
