"""What a report says: first what was asked and found, then how it came about and what is to be thought of it."""

from __future__ import annotations

from dashboards.report.method import conditions, measured, repeated, unknown
from dashboards.report.numbers import SHOWN, Report, Verified
from dashboards.report.parts import Document, Figure, Lines, Links, Paragraph, Part, Section, Table
from dashboards.report.pictures import front, layers, views
from dashboards.report.tables import (
    budgets_table,
    candidates_table,
    confirmations_table,
    confusion_table,
    fates_table,
    layers_table,
    runs_table,
    trail_table,
    verified_table,
)
from dashboards.report.words import hashed, times
from dashboards.text import choice, counted, duration, goal, interval, number, percent, points
from space.candidate import State
from space.layers import describe
from space.notation import read
from space.trail import unmet


def document(report: Report) -> Document:
    """The whole report."""
    return Document(
        title=report.title,
        verdict=_verdict(report),
        moment=_moment(report),
        figures=_figures(report),
        sections=(
            _asked(report),
            _found(report),
            _tested(report),
            _confirmed(report),
            front(report),
            views(report),
            _candidates(report),
            repeated(report),
            conditions(report),
            measured(report),
            unknown(report),
            _files(report),
        ),
    )


def _verdict(report: Report) -> str:
    best, tested, study = report.best, report.result, report.study
    if best is None:
        return f"No network for {goal(study.target, study.budgets)} yet: no candidate has an accuracy."
    told = f"{hashed(best)} with {number(best.parameters)} parameters"
    without = unmet(study.budgets, study.trail)
    if report.winner is None:
        line = (
            f"No network is confirmed yet for {goal(study.target, without)}. The best so far is {told}: "
            f"{percent(best.accuracy)} in validation after {counted(best.epochs, 'epoch')}."
        )
    else:
        met = [budget for budget in study.budgets if budget not in without]
        fresh = counted(len(best.confirmations), "fresh training")
        line = (
            f"Confirmed for {goal(study.target, met)}: {told}, {percent(best.confirmed_accuracy)} in the mean of "
            f"{fresh}." + (f" No network is confirmed yet for at most {choice(without)}." if without else "")
        )
    if tested is None:
        return line
    return f"{line} On the test images it reaches {percent(tested.summary.mean)}, which {_meets(report, tested)}."


def _meets(report: Report, tested: Verified) -> str:
    verb = "meets" if tested.summary.mean >= report.study.target else "misses"
    return f"{verb} the target of {percent(report.study.target)}"


def _moment(report: Report) -> str:
    line = f"Study {report.study.name}, as it was at {report.made:%Y-%m-%d %H:%M %Z}".strip() + "."
    if report.searching:
        runs = "one run was" if report.searching == 1 else f"{number(report.searching)} runs were"
        return f"{line} The search was not over: {runs} at work on it."
    return line


def _figures(report: Report) -> tuple[Figure, ...]:
    """The few numbers of the best."""
    best, tested = report.best, report.result
    if best is None:
        return ()
    figures = [
        Figure(name="Parameters", value=number(best.parameters), note=f"of at most {choice(report.study.budgets)}"),
        Figure(name="Validation", value=percent(best.accuracy), note=f"when chosen, {counted(best.epochs, 'epoch')}"),
    ]
    if best.confirmations:
        note = f"mean of {counted(len(best.confirmations), 'fresh training')}"
        figures.append(Figure(name="Confirmed", value=percent(best.confirmed_accuracy), note=note))
    if tested is not None:
        note = f"{interval(tested.interval)}, {counted(tested.summary.count, 'training')}"
        figures.append(Figure(name="Test", value=percent(tested.summary.mean), note=note))
    return (
        *figures,
        Figure(name="MACs", value=number(best.macs), note="an image"),
        Figure(name="Peak activations", value=number(best.peak_activation_bytes), note="bytes as float32"),
    )


def _asked(report: Report) -> Section:
    settings, study = report.settings, report.study
    rungs = ", ".join(map(str, settings["rungs"]))
    rows = (
        ("data set", f"{study.dataset}{_images(report)}"),
        ("budget", f"at most {choice(study.budgets)} trainable parameters"),
        ("target", f"an accuracy of {percent(study.target)}"),
        ("trainings", f"of {rungs} epochs, each from fresh weights; 1 candidate in {settings['reduction']} goes on"),
        ("a hit is confirmed by", f"the mean of {counted(report.confirmations, 'fresh training')} on other folds"),
        ("seed", str(settings["seed"])),
        ("limits", "of time and candidates are those of each run; they are not kept with the study"),
    )
    caption = "What is fixed for the study"
    table = Table(caption=caption, headings=("setting", "value"), rows=rows, words=("value",))
    return Section("What was asked", (table,))


def _images(report: Report) -> str:
    line = next((candidate.line for candidate in report.candidates if candidate.line), "")
    if not line:
        return ""
    architecture = read(line)
    return f": images of {describe(architecture.input)}, {number(architecture.classes)} classes"


def _found(report: Report) -> Section:
    best, study = report.best, report.study
    searched: list[Part] = [Paragraph(_effort(report))]
    if len(study.budgets) > 1:
        searched.append(budgets_table(report.holdings))
    if len(study.trail) > 1:
        searched.append(trail_table(report.candidates, study.trail))
    if report.candidates:
        searched.append(fates_table(report))
    if best is None or not best.line:
        return Section("What was found", tuple(searched))
    parts: list[Part] = [Lines((best.line,))]
    if best.pruning is not None:
        held = " Its layers are counted with the weights that are held at zero." if best.pruning.is_masked else ""
        parts.append(Paragraph(f"It is what is left of another: {best.pruning}.{held}"))
    shown = (layers(best), layers_table(read(best.line)))
    return Section("What was found", tuple(searched), (Section(f"Network {hashed(best)}", (*parts, *shown)),))


def _effort(report: Report) -> str:
    """How much was searched."""
    if not report.candidates:
        return "Nothing has been proposed yet."
    line = f"{counted(len(report.candidates), 'candidate')} so far."
    if report.training_seconds:
        line += f" All trainings together took {duration(report.training_seconds)}"
        if report.span is not None:
            lasted = (report.span[1] - report.span[0]).total_seconds()
            line += f"; from the first proposal to the last result it was {duration(lasted)}, pauses included"
        line += "."
    return line


def _tested(report: Report) -> Section:
    parts: list[Part] = [Paragraph(_readings(report))]
    if report.result is not None:
        parts += [Paragraph(_result(report, report.result)), runs_table(report.result), confusion_table(report.result)]
    elif report.best is not None:
        parts.append(Paragraph(f"{hashed(report.best)} is not verified yet. To do that:"))
        parts.append(Lines((report.verifying,)))
    if len(report.verified) > (report.result is not None):
        parts.append(verified_table(report.verified.values()))
    return Section("On the test images", tuple(parts))


def _readings(report: Report) -> str:
    readings = report.test_readings
    if not readings:
        return "The study has not read the test set."
    each = ", ".join(f"{times(count)} for #{number}" for number, count in sorted(readings.items()))
    return f"The study has read the test set {times(sum(readings.values()))}: {each}."


def _result(report: Report, tested: Verified) -> str:
    summary = tested.summary
    line = (
        f"{hashed(tested.candidate)}, {number(tested.candidate.parameters)} parameters: {percent(summary.mean)} of "
        f"{number(tested.images)} test images, mean of {counted(summary.count, 'training')}, which "
        f"{_meets(report, tested)}."
    )
    if summary.interval is None:
        return (
            f"{line} 95 % interval {interval(tested.interval)} for one network and other such images (Wilson's score)."
        )
    return (
        f"{line} Standard deviation {points(summary.deviation)}, worst {percent(summary.worst)}, 95 % interval of the "
        f"mean {interval(tested.interval)} (Student's t)."
    )


def _confirmed(report: Report) -> Section:
    tried = [candidate for candidate in report.candidates if candidate.confirmations]
    if not tried:
        hits = sum(
            candidate.state == State.COMPLETE and (candidate.accuracy or 0.0) >= report.study.target
            for candidate in report.candidates
        )
        waiting = f"{counted(hits, 'candidate')} reached the target and may be confirmed." if hits else "No hit yet."
        return Section("Confirmations", (Paragraph(waiting),))
    reading = (
        "A candidate that reaches the target is trained afresh, with other seeds and on folds that played no part in "
        "choosing it. It is believed if the mean reaches the target too."
    )
    return Section("Confirmations", (Paragraph(reading), confirmations_table(tried, report.confirmations)))


def _candidates(report: Report) -> Section:
    best = report.ranking[:SHOWN]
    if not best:
        return Section("Candidates", (Paragraph("No candidate has an accuracy yet."),))
    front_caption = "The front: no other candidate is both as small and more accurate"
    return Section(
        "Candidates",
        (
            candidates_table(
                best, f"The best {number(len(best))}: the smallest winner, then by length of training and accuracy"
            ),
            candidates_table(report.front, front_caption),
        ),
    )


def _files(report: Report) -> Section:
    files = [("all numbers, with every candidate", "study.json"), ("this report as Markdown", "report.md")]
    if report.chart is not None:
        files.insert(0, ("the front, to point at and to enlarge; it needs JavaScript", "pareto.html"))
    return Section("Beside this page", (Links(tuple(files)),))
