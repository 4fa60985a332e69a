"""A search while it runs: its numbers, a live view of them for a terminal, and plain lines for everything else."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from dashboards.budgets import Holding, holdings
from dashboards.pareto.ascii_plot import small_plot
from dashboards.pareto.points import Study
from dashboards.text import counted, duration, goal, number, percent
from space.candidate import Candidate, State
from space.trail import Trail, Win

_FACTS = 10
"""Lines above the plot, if the best architecture takes one; and one that stays free below it."""
_LABELS = 13
"""Columns of what is said about a run before its values."""
_SHARE = 0.02
"""Of a driver's time that plots may take."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A run at one moment."""

    study: str
    budgets: tuple[int, ...]
    target: float
    confirmations: int
    """Fresh trainings that confirm a hit."""
    candidates: Sequence[Candidate]
    begun: float
    """time.monotonic() when the run began."""
    trained_before: int
    """Candidates that earlier runs of the study had trained."""
    trials: int
    """Limit on candidates trained."""
    deadline: float | None
    """time.monotonic() when the run ends by its time limit."""
    ceiling: int
    """Most parameters that a candidate may have to be of use now; 0 when nothing is left to search for."""
    trail: Trail = ()
    """The confirmed winners, each smaller than the one before."""
    dataset: str = ""
    workers: int = 0
    """That have begun."""
    at_work: int = 0
    """Those that are training."""
    gpus: float = 0.0
    """That they have; shared ones count by their share."""

    @property
    def counts(self) -> Counter[State]:
        return Counter(candidate.state for candidate in self.candidates)

    @property
    def trained(self) -> int:
        """Candidates whose training is over, those of earlier runs included."""
        return sum(candidate.is_trained for candidate in self.candidates)

    @property
    def best(self) -> Candidate | None:
        """The most accurate of those trained longest."""
        return max(
            (candidate for candidate in self.candidates if candidate.rungs),
            key=lambda candidate: (candidate.epochs, candidate.accuracy or 0.0),
            default=None,
        )

    @property
    def confirming(self) -> list[Candidate]:
        """Hits that may be winners, of which some, but not all, confirmations are there."""
        return [
            candidate
            for candidate in self.candidates
            if candidate.state == State.COMPLETE
            and (candidate.accuracy or 0.0) >= self.target
            and candidate.parameters <= self.ceiling
            and len(candidate.confirmations) < self.confirmations
        ]

    def per_minute(self, now: float) -> float:
        """Candidates trained in a minute of this run."""
        return 60 * (self.trained - self.trained_before) / max(now - self.begun, 1e-9)

    def seconds_left(self, now: float) -> float | None:
        """Until the first limit is reached, as far as that can be told."""
        rate = self.per_minute(now) / 60
        limits = [] if rate == 0 else [max(0, self.trials - self.trained) / rate]
        if self.deadline is not None:
            limits.append(max(0.0, self.deadline - now))
        return min(limits, default=None)


def pruned_by_rung(candidates: Sequence[Candidate]) -> Counter[int]:
    """How many were pruned after each number of epochs."""
    return Counter(candidate.epochs for candidate in candidates if candidate.state == State.PRUNED)


class View(Protocol):
    """Something that shows snapshots."""

    def update(self, snapshot: Snapshot) -> None: ...

    def notice(self, line: str | None) -> None:
        """Something that holds the run up; None when it is over."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def view(console: Console) -> View:
    """A live view on a terminal, plain lines elsewhere."""
    return LiveView(console) if console.is_terminal else PlainView(console)


class LiveView:
    """A few lines that stay in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._snapshot: Snapshot | None = None
        self._plot: list[str] = []
        self._plot_due = float("-inf")
        self._notice: str | None = None
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=2, transient=True)

    def update(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def notice(self, line: str | None) -> None:
        self._notice = line

    def _draw(self) -> RenderableType:
        if self._snapshot is None:
            shown: RenderableType = Text("starting workers")
        else:
            shown = draw(self._snapshot, time.monotonic(), self._pareto(self._snapshot))
        return Group(Text(self._notice, style="bold yellow"), shown) if self._notice else shown

    def _pareto(self, snapshot: Snapshot) -> list[str]:
        """The plot, drawn again only as often as the time that takes allows: thousands of candidates take a while."""
        begun = time.monotonic()
        if begun >= self._plot_due:
            self._plot = pareto_rows(snapshot, *self._console.size)
            self._plot_due = begun + (time.monotonic() - begun) / _SHARE
        return self._plot

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()


def draw(snapshot: Snapshot, now: float, plot: Sequence[str] = ()) -> RenderableType:
    """The live view of one moment, with the rows of a plot below it; `now` is time.monotonic()."""
    lines: list[RenderableType] = [_facts(snapshot, now)]
    lines += [Text(_confirming(one, snapshot.confirmations), style="bold") for one in snapshot.confirming]
    return Group(*lines, *(Text(row) for row in plot))


def pareto_rows(snapshot: Snapshot, width: int, height: int) -> list[str]:
    """A Pareto plot that fits below the live view on a terminal of this size; none where there is nothing to plot."""
    if snapshot.best is None:
        return []
    below = len(_holdings(snapshot)) + len(snapshot.confirming)
    taken = _FACTS + len(snapshot.best.line) // max(1, width - _LABELS) + below
    study = Study(
        name=snapshot.study,
        dataset=snapshot.dataset,
        budgets=snapshot.budgets,
        target=snapshot.target,
        candidates=snapshot.candidates,
    )
    return small_plot(study, width, height - taken)


def _facts(snapshot: Snapshot, now: float) -> Table:
    counts = snapshot.counts
    rungs = ", ".join(
        f"{count} after {counted(epochs, 'epoch')}"
        for epochs, count in sorted(pruned_by_rung(snapshot.candidates).items())
    )
    left = snapshot.seconds_left(now)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("study", f"[bold]{escape(snapshot.study)}[/]  {duration(now - snapshot.begun)}")
    grid.add_row(
        "candidates",
        f"{counts[State.COMPLETE]} trained to the end, {counts[State.RUNNING]} running, {counts[State.FAILED]} failed",
    )
    grid.add_row("pruned", f"{counts[State.OVER_BUDGET]} over budget" + (f", {rungs}" if rungs else ""))
    grid.add_row(
        "speed",
        f"{snapshot.per_minute(now):.1f} candidates a minute, "
        + (f"limits reached in {duration(left)}" if left is not None else "time left not known yet"),
    )
    grid.add_row("workers", _crew(snapshot))
    grid.add_row("goal", goal(snapshot.target, snapshot.budgets))
    for name, told in _holdings(snapshot):
        grid.add_row(name, told)
    grid.add_row("best so far", _best(snapshot.best))
    return grid


def _holdings(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Where there are several budgets what is there for each, and how far the winners have shrunk."""
    rows = []
    if len(snapshot.budgets) > 1:
        found = holdings(snapshot.budgets, snapshot.candidates, snapshot.trail)
        rows += [(number(one.budget), _holding(one)) for one in found]
    if snapshot.trail and 0 < snapshot.ceiling < min(snapshot.budgets):
        last = snapshot.trail[-1]
        rows.append(("shrinking", f"winner #{last.number}, now with at most {number(snapshot.ceiling)} parameters"))
    return rows


def _holding(one: Holding) -> str:
    if one.winner is not None:
        winner = one.winner
        return f"winner #{winner.number}, {number(winner.parameters)}, {percent(winner.confirmed_accuracy)} confirmed"
    if one.best is None:
        return "none yet"
    return f"{percent(one.best.accuracy)} after {one.best.epochs}, {number(one.best.parameters)}, #{one.best.number}"


def _crew(snapshot: Snapshot) -> str:
    if not snapshot.workers:
        return "none has begun yet"
    on_gpus = f", on {snapshot.gpus:.3g} GPU{'' if snapshot.gpus == 1 else 's'}" if snapshot.gpus else ""
    return f"{snapshot.at_work} of {snapshot.workers} training{on_gpus}"


def _best(best: Candidate | None) -> str:
    if best is None or best.accuracy is None:
        return "none yet"
    epochs = counted(best.epochs, "epoch")
    return f"{percent(best.accuracy)} after {epochs}, {number(best.parameters)} parameters, #{best.number}\n{best.line}"


def _confirming(candidate: Candidate, needed: int) -> str:
    there = ", ".join(percent(confirmation.accuracy) for confirmation in candidate.confirmations)
    return f"confirming #{candidate.number}: {len(candidate.confirmations)} of {needed}" + (
        f" ({there})" if there else ""
    )


class _Seen(NamedTuple):
    """What has been told of a candidate."""

    state: State
    repeats: int
    confirmations: int

    @classmethod
    def of(cls, candidate: Candidate) -> Self:
        """All that there is to tell."""
        return cls(candidate.state, len(candidate.repeats), len(candidate.confirmations))


_MINUTE = 60.0
"""Seconds between two lines of where a run stands."""
_UNSEEN = _Seen(State.WAITING, 0, 0)


class PlainView:
    """A line for each candidate that ends, each repeat, each confirmation and each minute."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[int, _Seen] | None = None
        self._won = 0
        self._told = 0.0
        self._noticed = False

    def notice(self, line: str | None) -> None:
        if (line is not None) != self._noticed:
            self._console.print(line or "the study database is back", markup=False, highlight=False, soft_wrap=True)
        self._noticed = line is not None

    def update(self, snapshot: Snapshot) -> None:
        now = time.monotonic()
        seen = {candidate.number: _Seen.of(candidate) for candidate in snapshot.candidates}
        for candidate in snapshot.candidates:
            before = None if self._seen is None else self._seen.get(candidate.number, _UNSEEN)
            if before is not None and before != seen[candidate.number]:
                line = _told(candidate, before)
                if line:
                    self._print(snapshot, now, line)
        for win in snapshot.trail[self._won :] if self._seen is not None and snapshot.ceiling else ():
            self._print(snapshot, now, _gone_on(win, snapshot))
        self._seen, self._won = seen, len(snapshot.trail)
        if now - self._told >= _MINUTE:
            self._told = now
            is_waiting = not snapshot.workers and now - snapshot.begun >= _MINUTE
            self._print(snapshot, now, summary(snapshot, now) + (", no worker has begun yet" if is_waiting else ""))

    def _print(self, snapshot: Snapshot, now: float, line: str) -> None:
        self._console.print(
            f"{duration(now - snapshot.begun):>8}  {line}", markup=False, highlight=False, soft_wrap=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def _gone_on(win: Win, snapshot: Snapshot) -> str:
    return (
        f"#{win.number} {number(win.parameters)} parameters: winner; "
        f"the search goes on with at most {number(snapshot.ceiling)}"
    )


def summary(snapshot: Snapshot, now: float) -> str:
    """Where a run stands, on one line."""
    counts = snapshot.counts
    best = snapshot.best
    shown = f"{percent(best.accuracy)} after {best.epochs}" if best and best.accuracy is not None else "none"
    return (
        f"{snapshot.study}: {counts[State.COMPLETE]} complete, {counts[State.RUNNING]} running, "
        f"{counts[State.OVER_BUDGET]} over budget, {counts[State.PRUNED]} pruned, {counts[State.FAILED]} failed, "
        f"{snapshot.per_minute(now):.1f} a minute, best {shown}"
    )


def _told(candidate: Candidate, before: _Seen) -> str | None:
    what = f"#{candidate.number} {number(candidate.parameters)} parameters"
    results = " / ".join(percent(accuracy) for accuracy in candidate.rungs.values())
    if len(candidate.repeats) > before.repeats:
        latest_run = percent(candidate.repeats[-1].accuracy)
        mean = f"{percent(candidate.mean)} mean of {len(candidate.runs)}"
        return f"{what}: seed {len(candidate.runs)}: {latest_run} ({mean})"
    if candidate.confirmations:
        latest = candidate.confirmations[-1]
        return f"{what}: confirmation {len(candidate.confirmations)}: {percent(latest.accuracy)} (fold {latest.fold})"
    match candidate.state:
        case State.COMPLETE:
            return f"{what}: {results}  {candidate.line}"
        case State.PRUNED:
            return f"{what}: {results}, pruned"
        case State.FAILED:
            return f"{what}: failed: {candidate.reason}"
        case _:
            return None
