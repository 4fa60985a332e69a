"""A list of trainings whose weights are wanted, done by Ray's workers."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence

from search import home, ray_environment
from search.conductor import LOSSES
from search.crew import Crew
from search.site import Site
from workers.dataset import DataSet
from workers.job import Failed, Fit, Fitted
from workers.recipe import default_recipe

OnDone = Callable[[Fit, Fitted | Failed], None]


class Batch:
    """Hands out each training once, first things first, and passes on what becomes of it."""

    def __init__(self, jobs: Sequence[Fit], on_done: OnDone) -> None:
        self._waiting = deque(jobs)
        self._left = len(jobs)
        self._on_done = on_done
        self._losses: Counter[str] = Counter()
        self.interrupted = False
        self.crew = Crew()
        """Set from outside: who trains now."""

    @property
    def finished(self) -> bool:
        """Whether all have come to an end, or the run is to."""
        return self.interrupted or self._left == 0

    def next_jobs(self, wanted: int) -> list[Fit]:
        """What to train next, as much as is wanted; fewer if nearly all are handed out."""
        count = 0 if self.finished else min(wanted, len(self._waiting))
        return [self._waiting.popleft() for _ in range(count)]

    def tell(self, job: Fit, outcome: Fitted | Failed) -> None:
        """Pass on what became of a training."""
        self._left -= 1
        self._on_done(job, outcome)

    def lose(self, job: Fit, reason: str) -> None:
        """The worker died on a training: another one shall try, LOSSES times in all."""
        self._losses[job.key] += 1
        if self._losses[job.key] < LOSSES:
            self._waiting.appendleft(job)
        else:
            self.tell(
                job, Failed(epochs=job.epochs, reason=f"its workers died {LOSSES} times, the last with: {reason}")
            )

    def look_around(self) -> None:
        """Nothing: nobody else works on this list."""

    def interrupt(self) -> None:
        """Have the run end; what is in training is lost."""
        self.interrupted = True


def train_batch(jobs: Sequence[Fit], data: DataSet, site: Site, on_done: OnDone) -> bool:
    """Do all trainings on the workers of `site`, in their order.

    `on_done` takes in each as it ends. False if the user has interrupted it before all had ended.
    """
    ray_environment.prepare(site.address)
    from search import tuning
    from search.demand import with_demand
    from workers.numerics import fastest, machine
    from workers.trainable import TrainJob, Workplace

    batch = Batch(jobs, on_done)
    if not jobs:
        return True
    numerics = {machine(): fastest(home.numerics_file())}
    workplace = Workplace(recipe=default_recipe(1, len(data)), numerics=numerics)
    place = with_demand(site, data, max(fit.recipe.batch for fit in jobs))
    tuning.run(batch, TrainJob, {"data": data, "workplace": workplace}, place, lambda: None)
    return not batch.interrupted
