"""What a report says of itself: how to repeat it, on what it depends, how it was measured and what is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.report.numbers import Report
from dashboards.report.parts import Code, Items, Lines, Paragraph, Part, Section, Table
from dashboards.text import counted, number
from space.candidate import State


def repeated(report: Report) -> Section:
    """The commands."""
    parts: list[Part] = [
        Paragraph("In an empty database, with the versions below:"),
        Lines(tuple(report.commands)),
        Paragraph(
            "The seeds are the same then, but not every candidate: with several trainings at once the order in which "
            "results come in decides what is proposed next, and machines differ in the last digits of their arithmetic."
        ),
    ]
    if report.changed:
        parts.append(Paragraph(f"{report.made_by} would not search with all of the study's settings:"))
        parts.append(Items(tuple(report.changed)))
    return Section("How to repeat it", tuple(parts))


def conditions(report: Report) -> Section:
    """Versions, machine and data; then all settings."""
    rows = [(Code(name), str(value)) for name, value in report.conditions.items()]
    known: Part = Paragraph("None are on record: no run has begun to train.")
    if rows:
        caption = "Versions, machine and data of the last run that trained"
        known = Table(caption=caption, headings=("condition", "value"), rows=tuple(rows), words=("value",))
    report_made = Paragraph(f"The report was made by {report.made_by}.")
    return Section("Conditions", (known, report_made, *_settings(report.settings)))


def _settings(settings: Mapping[str, Any]) -> Iterator[Table]:
    """The recipe of trainings and the space of networks, as they are stored."""
    captions = {"recipe": "Recipe of every training", "space": "Space of networks, by what each choice is drawn from"}
    for name, caption in captions.items():
        rows = tuple((Code(key), value) for key, value in _flat(settings.get(name, {})))
        if rows:
            yield Table(caption=caption, headings=("name", "value"), rows=rows, words=("value",))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", f"{value:.6g}" if isinstance(value, float) else str(value)


def measured(report: Report) -> Section:
    """What each kind of number means."""
    return Section(
        "How it was measured",
        (
            Items(
                (
                    "Parameters are trainable scalars: weights, biases, batch-norm scale and shift. They are counted "
                    "before anything is built. MACs are multiply-accumulates of convolutions and dense layers, for one "
                    "image.",
                    "Peak activations are the most values alive at once, a layer's input and output, as float32; code "
                    "for a small device may need more or, in int8, a quarter.",
                    "Validation: training images that a training did not see. They choose, so that the best of many is "
                    "partly the luckiest: its validation accuracy is a little too good.",
                    f"Confirmed: {counted(report.confirmations, 'fresh training')} with other seeds, each validated "
                    "on a fold that played no part in choosing. None of them is chosen from.",
                    "Test: images that the search never opens. A verification trains on all training images and reads "
                    "them once for each training, after the last has ended. Nothing is chosen by them.",
                    "Accuracies are those of the last epoch, never of the best one.",
                )
            ),
        ),
    )


def unknown(report: Report) -> Section:
    """What does not follow from all this."""
    return Section("What is not known", (Items(tuple(_open(report))),))


def _open(report: Report) -> Iterator[str]:
    searched = [candidate for candidate in report.candidates if candidate.pruning is None]
    trained = sum(candidate.is_trained for candidate in searched)
    smaller = "any network" if report.winner is None else "a smaller network"
    yield (
        f"Whether {smaller} reaches the target: {number(trained)} of {counted(len(searched), 'candidate')} were "
        "trained, and the space has very many more."
    )
    if report.best is not None:
        yield "Whether the best would still be the best under another recipe or with longer trainings."
    if report.best is not None and report.result is None:
        yield "What the best reaches on test images: it is not verified."
    if any(one.summary.deviation is None for one in report.verified.values()):
        yield "How much trainings of a candidate differ that was verified once: it takes two at least."
    if report.test_readings:
        yield "What it reaches on images that were not taken as the test images were."
    if report.counts[State.FAILED]:
        yield "What those that failed would have reached."
    if report.searching or report.counts[State.RUNNING]:
        yield "What comes of those in training."
    if report.conditions:
        yield "Conditions of runs before the last: each run writes its own over them."
