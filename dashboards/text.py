"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Sequence


def percent(fraction: float | None) -> str:
    """`99.41 %`, or `-` where there is none."""
    return "-" if fraction is None else f"{100 * fraction:.2f} %"


def points(fraction: float | None) -> str:
    """A difference or deviation of accuracies: `0.06 points`, or `-` where there is none."""
    return "-" if fraction is None else f"{100 * fraction:.2f} points"


def interval(ends: tuple[float, float] | None) -> str:
    """Of an accuracy: `99.38 to 99.47 %`, never beyond 100 %; `-` where there is none."""
    return "-" if ends is None else f"{100 * max(0.0, ends[0]):.2f} to {percent(min(1.0, ends[1]))}"


def number(count: int) -> str:
    """`10,000`."""
    return f"{count:,}"


def counted(count: int, noun: str) -> str:
    """`1 epoch`, `1,600 epochs`."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """`42 s`, `3:05` (minutes) or `2:03:05` (hours)."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def choice(counts: Sequence[int], word: str = "or") -> str:
    """`10,000`, `10,000 or 15,000`, `10,000, 15,000 or 20,000`."""
    *others, last = map(number, counts)
    return f"{', '.join(others)} {word} {last}" if others else last


def goal(target: float, budgets: Sequence[int]) -> str:
    """What is searched for: `99.40 % with at most 10,000 or 15,000 parameters`."""
    return f"{percent(target)} with at most {choice(budgets)} parameters"


def rough(seconds: float) -> str:
    """A time that is not known better: `42 s`, `9 min` or `2.1 h`, `21 h`."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 9.95 else f"{hours:,.0f} h"
