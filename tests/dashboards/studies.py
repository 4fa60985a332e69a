"""Studies made up for pictures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dashboards.pareto.chart import Chart
from dashboards.pareto.points import Cost, Study
from space.candidate import Candidate, State, Verification
from space.trail import Win

LINE = "1x28x28-4c3nr-P2-10c1-G"


def candidate(number: int, parameters: int, accuracy: float | None, **more: Any) -> Candidate:
    """Trained to the end of 16 epochs unless told otherwise; 100 MACs and 10 bytes a parameter."""
    told: dict[str, Any] = {
        "state": State.COMPLETE,
        "origin": "sampler",
        "line": LINE,
        "macs": 100 * parameters,
        "peak_activation_bytes": 10 * parameters,
        "rungs": {} if accuracy is None else {16: accuracy},
    }
    return Candidate(number=number, parameters=parameters, **(told | more))


def verification(place: int, accuracy: float) -> Verification:
    """On 1,000 images of two classes."""
    wrong = round(1000 * (1 - accuracy))
    confusion = ((500 - wrong, wrong), (0, 500))
    return Verification(place=place, seed=place, accuracy=accuracy, confusion=confusion, epochs=16, seconds=60.0)


def study(*candidates: Candidate, **more: Any) -> Study:
    """Of a data set for which nobody has published anything, unless told otherwise."""
    told: dict[str, Any] = {"name": "study", "dataset": "digits", "budgets": (10_000,), "target": 0.99}
    return Study(candidates=candidates, **(told | more))


def won(*candidates: Candidate) -> tuple[Win, ...]:
    """A trail of these."""
    when = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    return tuple(Win(number=one.number, parameters=one.parameters, when=when) for one in candidates)


def chart(*candidates: Candidate, cost: Cost = Cost.PARAMETERS, **more: Any) -> Chart:
    """Of one study."""
    return Chart((study(*candidates, **more),), cost)


def several() -> Chart:
    """Two budgets on MNIST, with something of every kind."""
    verified = tuple(verification(place, accuracy) for place, accuracy in enumerate((0.992, 0.994, 0.993)))
    first = study(
        candidate(0, 4000, 0.985, seconds=65.0, seed=7),
        candidate(1, 9000, 0.993, verifications=verified),
        candidate(2, 5000, 0.97, state=State.PRUNED, rungs={1: 0.97}),
        candidate(3, 6000, 0.98, state=State.PRUNED, rungs={1: 0.97, 4: 0.98}),
        candidate(4, 12_000, None, state=State.OVER_BUDGET),
        candidate(5, 7000, 0.96, state=State.FAILED, rungs={1: 0.96}),
        candidate(6, 8000, 0.975, state=State.RUNNING, rungs={1: 0.975}),
        name="small",
        dataset="mnist",
    )
    second = study(
        candidate(0, 14_000, 0.995), candidate(1, 3000, 0.98), name="large", dataset="mnist", budgets=(15_000,)
    )
    return Chart((first, second), Cost.PARAMETERS)
