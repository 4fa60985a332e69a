"""Optuna's artifact store in the study database: what one driver keeps, every dashboard finds, on whatever machine."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from optuna.artifacts import ArtifactMeta
from optuna.artifacts.exceptions import ArtifactNotFound
from sqlalchemy import Connection, delete, insert, select

from search.storage import Store
from search.tables import ARTIFACTS as ROWS

_PREFIX = "artifacts:"
"""Of the system attributes in which Optuna lists a trial's artifacts."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A small file that belongs to a candidate."""

    filename: str
    mimetype: str
    content: bytes


class DatabaseArtifacts:
    """As `optuna.artifacts`' stores are. Any number of processes may read and write at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """The content; Optuna's ArtifactNotFound where there is none."""
        rows = self._store.read(select(ROWS.c.content).where(ROWS.c.artifact == artifact_id))
        if not rows:
            raise ArtifactNotFound(f"there is no artifact {artifact_id}")
        return io.BytesIO(bytes(rows[0].content))

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Keep a content under a name of its own, in the place of an earlier one."""
        content = content_body.read()

        def change(connection: Connection) -> None:
            connection.execute(delete(ROWS).where(ROWS.c.artifact == artifact_id))
            connection.execute(insert(ROWS).values(artifact=artifact_id, content=content))

        self._store.write(change)

    def remove(self, artifact_id: str) -> None:
        """Forget a content, if it is there."""

        def change(connection: Connection) -> None:
            connection.execute(delete(ROWS).where(ROWS.c.artifact == artifact_id))

        self._store.write(change)


def keep(store: Store, artifacts: Iterable[Artifact]) -> dict[str, Any]:
    """Write artifacts; the system attributes by which Optuna finds them with the trial that is given these."""
    into = DatabaseArtifacts(store)
    found: dict[str, Any] = {}
    for artifact in artifacts:
        name = str(uuid.uuid4())
        into.write(name, io.BytesIO(artifact.content))
        meta = ArtifactMeta(artifact_id=name, filename=artifact.filename, mimetype=artifact.mimetype, encoding=None)
        found[f"{_PREFIX}{name}"] = json.dumps(asdict(meta))
    return found
