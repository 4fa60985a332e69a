"""A directory of files that is there whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.errors import SearchError, SettingsError
from search.export.names import ALL_FILES
from search.home import check_writable


def check(directory: Path, *, force: bool) -> None:
    """SettingsError unless an export may be put into `directory`; nothing is created.

    It must be empty or not there yet; with `force` it may hold other files, and those of an earlier export.
    """
    check_writable(directory)
    there = sorted(file.name for file in directory.iterdir()) if directory.exists() else []
    if there and not force:
        shown = there[0] if len(there) == 1 else f"{there[0]} and {len(there) - 1} more"
        raise SettingsError(
            f"{directory} must be empty or not there yet, but has {shown}; --force replaces an earlier export"
        )


@contextmanager
def staged(directory: Path, *, force: bool) -> Iterator[Path]:
    """A directory whose files are put into `directory` when the block has ended well.

    They take the place of all files of an earlier export. If there are none, or the block fails, nothing is changed.
    """
    check(directory, force=force)
    target = directory.absolute()
    parent = target if target.exists() else next(place for place in target.parents if place.exists())
    try:
        with tempfile.TemporaryDirectory(prefix=".petitnet-", dir=parent) as scratch:
            whole = Path(scratch) / "export"
            whole.mkdir()
            yield whole
            if any(whole.iterdir()):
                _publish(whole, target)
    except OSError as error:
        raise SearchError(f"{directory} cannot be written: {error.strerror or error}") from error


def _publish(whole: Path, target: Path) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        whole.rename(target)
        return
    made = [file.name for file in whole.iterdir()]
    for name in made:
        (whole / name).replace(target / name)
    for name in set(ALL_FILES).difference(made):
        (target / name).unlink(missing_ok=True)
