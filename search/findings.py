"""What a check of the machine, the database or the cluster found, and how it is shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import click

_WIDTH = 20
"""Characters of the column of names."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    text: str
    """What was found."""
    remedy: str = ""
    """What to do about it; empty where nothing is wrong."""


def show(findings: Iterable[Finding], *, as_json: bool) -> bool:
    """Print one line each on stdout, as soon as it is found, or all as JSON; whether nothing is wrong."""
    shown = []
    for finding in findings:
        shown.append(finding)
        if not as_json:
            click.echo(_line(finding))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in shown], indent=2))
    return all(finding.ok for finding in shown)


def _line(finding: Finding) -> str:
    text = f"{finding.text}; {finding.remedy}" if finding.remedy else finding.text
    return f"{_mark(finding.ok)}  {finding.name:<{_WIDTH}}  {text}"


def _mark(ok: bool) -> str:
    """A tick or a cross where somebody watches, a word elsewhere."""
    if not sys.stdout.isatty():
        return "ok   " if ok else "wrong"
    can_draw = sys.stdout.encoding.lower().startswith("utf")
    mark = ("✓" if ok else "✗") if can_draw else ("ok   " if ok else "wrong")
    return mark if os.environ.get("NO_COLOR") else click.style(mark, fg="green" if ok else "red")
