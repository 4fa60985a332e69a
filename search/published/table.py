"""The page that says what the published networks reach: the claim, their recipe and ours side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.table import Table

from dashboards.text import duration, interval, number, percent
from search.published.results import RECIPE_NAMES, Outcome, RecipeName, Row, TrainingResult
from space.statistics import CONFIDENCE

NOT_RUN = "not run"

_HEADINGS: dict[RecipeName, str] = {"published": "their recipe", "ours": "our recipe"}

_PROTOCOL = """\
- **published** is what the text says. Nearly always that is the best epoch on the test set, of one training.
- **their recipe** trains on 50,000 of the 60,000 training images, in float32. The other 10,000 (fold 0, each class with
  its share) take the place of the test set: they lower the learning rate, stop the training and choose its epoch, where
  the recipe has that done.
- **our recipe** trains on all 60,000 training images for a number of epochs fixed beforehand, and the weights of the
  last one count. Nothing is held out and nothing chosen.
- The test set is read once a training, when its weights are final. All trainings that ran to their end are counted."""


def markdown(rows: Sequence[Row], results: Sequence[TrainingResult], notes: Mapping[str, Sequence[str]]) -> str:
    """The whole page. `notes` say, by network, what of its recipe was taken without its text; "" has those of all."""
    sections = [
        "# Published networks, trained again\n\n"
        "Test accuracy on MNIST: mean ± standard deviation (number of trainings, each with another seed).",
        "\n".join(_markdown_table(["network", "parameters", "published", *_HEADINGS.values()], map(_cells, rows))),
        "## How it was measured\n\n" + _PROTOCOL,
        "## Each mean\n\n" + _means(rows),
        "## Conditions\n\n" + "\n".join(_conditions(results)),
        "## What the texts leave open, and what is done otherwise\n\n" + "\n".join(_open(rows, notes)),
    ]
    return "\n\n".join(sections) + "\n"


def table(rows: Sequence[Row]) -> Table:
    """The first table of the page, for the terminal."""
    found = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    found.add_column("network", no_wrap=True)
    for heading in ("parameters", "published", *_HEADINGS.values()):
        found.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        found.add_row(*_cells(row))
    return found


def _cells(row: Row) -> list[str]:
    claim = percent(row.network.accuracy)
    measured = [_short(row.outcomes.get(name)) for name in RECIPE_NAMES]
    return [row.network.name, number(row.network.parameters), claim, *measured]


def _short(outcome: Outcome | None) -> str:
    """`99.12 ± 0.05 % (5)`."""
    if outcome is None:
        return NOT_RUN
    spread = "" if outcome.test.deviation is None else f" ± {_points(outcome.test.deviation)}"
    return f"{_points(outcome.test.mean)}{spread} % ({outcome.test.count})"


def _points(fraction: float) -> str:
    return f"{100 * fraction:.2f}"


def _means(rows: Sequence[Row]) -> str:
    lines = [
        [row.network.name, _HEADINGS[name], *_long(row.outcomes[name])]
        for row in rows
        for name in RECIPE_NAMES
        if name in row.outcomes
    ]
    headings = [
        "network",
        "recipe",
        "trainings",
        "mean",
        f"{CONFIDENCE:.0%} interval of the mean",
        "worst",
        "on the fold",
        "epochs",
        "time of one",
    ]
    return "\n".join(_markdown_table(headings, lines, left=2)) if lines else "No training has ended yet."


def _long(outcome: Outcome) -> list[str]:
    test = outcome.test
    low, high = outcome.epochs
    return [
        str(test.count),
        percent(test.mean),
        interval(test.interval),
        percent(test.worst),
        percent(outcome.validation),
        str(low) if low == high else f"{low} to {high}",
        duration(outcome.seconds),
    ]


def _conditions(results: Sequence[TrainingResult]) -> Iterable[str]:
    """One line for each thing that the numbers depend on, with all values that it had."""
    if not results:
        return
    dates = sorted(result.date for result in results)
    yield f"- trainings: {len(results)}, ended {' to '.join(dict.fromkeys((dates[0], dates[-1])))}"
    for name in dict.fromkeys(name for result in results for name in result.conditions):
        yield f"- {name}: {_values(result.conditions.get(name, '-') for result in results)}"
    yield f"- SHA-256 of the training images: {_values(result.data_sha256 for result in results)}"
    yield f"- command: {_values(f'`{result.command}`' for result in results)}"


def _values(values: Iterable[str]) -> str:
    return "; ".join(sorted(set(values)))


def _open(rows: Sequence[Row], notes: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """The notes on all networks, then those on each; networks that share theirs share a line."""
    for note in notes.get("", ()):
        yield f"- all: {note}"
    shared: dict[str, list[str]] = {}
    for row in rows:
        for note in notes.get(row.network.name, ()):
            shared.setdefault(note, []).append(row.network.name)
    for note, names in shared.items():
        yield f"- {', '.join(names)}: {note}"


def _markdown_table(headings: Sequence[str], lines: Iterable[Sequence[str]], left: int = 1) -> Iterable[str]:
    """The first `left` columns are aligned to the left, all others to the right."""
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * left}{'--:|' * (len(headings) - left)}"
    for cells in lines:
        yield f"| {' | '.join(cells)} |"
