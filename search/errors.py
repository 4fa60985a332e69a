"""What can go wrong, as a tree; each branch has the exit code that the command line ends with.

SearchError                 1
|-- SettingsError           2   a value that cannot be used; also DataError and BudgetError from the other rooms
|-- NotFoundError           4   no such study, candidate or published network
|-- StorageError            5   the database cannot be reached or read
`-- ClusterError            5   the Ray cluster cannot be reached
"""

from __future__ import annotations

MET = 0
NOT_MET = 3
INTERRUPTED = 130


class SearchError(Exception):
    """A message for the user; no traceback is shown."""

    exit_code = 1


class SettingsError(SearchError, ValueError):
    """The rule, then what came."""

    exit_code = 2


class NotFoundError(SearchError):
    """No such study, no such candidate in it, or no such published network."""

    exit_code = 4


class StorageError(SearchError):
    """The study database cannot be reached or read."""

    exit_code = 5


class ClusterError(SearchError):
    """The Ray cluster cannot be reached."""

    exit_code = 5
