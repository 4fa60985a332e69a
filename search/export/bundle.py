"""One network as files: all are written, then each is run on the test images, and only those that pass are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards.text import number
from search.export.card import card
from search.export.exportable import Exportable
from search.export.format import ExportError, Format
from search.export.metrics import metrics
from search.export.names import CARD, METRICS
from search.export.parity import Parity, compare
from search.export.staging import staged
from workers.dataset import DataSet


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What came of an export."""

    metrics: dict[str, Any] | None
    """As in metrics.json; None if no format passed and nothing was left behind."""
    failed: dict[str, str]
    """Why, by format."""


def bundle(
    model: Exportable,
    formats: Iterable[Format],
    directory: Path,
    training: DataSet,
    test: Callable[[], DataSet],
    *,
    force: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Export `model` into `directory`, with metrics.json and a model card.

    The test images are asked for when all files are written. A format that fails is in `Bundle.failed`, and none of its
    files in `directory`. SettingsError for a directory that an export must not be put into; `force` as in `staging`.
    """
    with staged(directory, force=force) as scratch:
        reasons: dict[Format, str | None] = {}
        for one in formats:
            say(f"writing {one.name}")
            reasons[one] = _write(one, model, scratch, training)
        images = test()
        expected = model.logits(images.images)
        outcomes: dict[Format, Parity | str] = {}
        for one, reason in reasons.items():
            say(f"checking {one.name} on {number(len(images))} test images")
            outcomes[one] = reason or _check(one, model, scratch, images, expected)
        passed = {one: outcome for one, outcome in outcomes.items() if isinstance(outcome, Parity)}
        failed = {one.name: outcome for one, outcome in outcomes.items() if isinstance(outcome, str)}
        for name in (name for one in outcomes.keys() - passed.keys() for name in one.files):
            (scratch / name).unlink(missing_ok=True)
        return Bundle(metrics=_describe(model, passed, scratch) if passed else None, failed=failed)


def _write(one: Format, model: Exportable, directory: Path, training: DataSet) -> str | None:
    """Why the files cannot be written; None if they are."""
    try:
        one.write(model, directory, training)
    except ExportError as error:
        return str(error)
    return None


def _check(
    one: Format, model: Exportable, directory: Path, test: DataSet, expected: NDArray[np.float32]
) -> Parity | str:
    """How the files do on the test images; why they must go, if they must."""
    try:
        found = one.run(model, directory, test.images)
    except ExportError as error:
        return str(error)
    return compare(found, expected, test.labels, one.may_lose)


def _describe(model: Exportable, passed: Mapping[Format, Parity], directory: Path) -> dict[str, Any]:
    """Write metrics.json and the card."""
    found = metrics(model, passed, directory)
    text = json.dumps(found, indent=2, allow_nan=False) + "\n"
    (directory / METRICS).write_text(text, encoding="utf-8")
    (directory / CARD).write_text(card(found), encoding="utf-8")
    return found
