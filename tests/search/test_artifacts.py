from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.artifacts import download_artifact, get_all_artifact_meta
from optuna.artifacts.exceptions import ArtifactNotFound

from search import storage
from search.artifacts import Artifact, DatabaseArtifacts, keep
from search.storage import Store


@pytest.fixture
def both(any_database: str) -> Iterator[Store]:
    opened = storage.open_or_create(storage.parse(any_database))
    yield opened
    opened.close()


def test_what_is_written_is_read_until_it_is_removed(both: Store) -> None:
    artifacts = DatabaseArtifacts(both)
    artifacts.write("one", io.BytesIO(b"\0first"))
    artifacts.write("two", io.BytesIO(b"other"))
    artifacts.write("one", io.BytesIO(b"second"))
    assert artifacts.open_reader("one").read() == b"second"
    artifacts.remove("one")
    with pytest.raises(ArtifactNotFound, match="one"):
        artifacts.open_reader("one")
    assert artifacts.open_reader("two").read() == b"other"


def test_optuna_finds_and_downloads_what_is_kept_of_a_trial(both: Store, tmp_path: Path) -> None:
    study = optuna.create_study(storage=both.optuna)
    kept = [Artifact(filename=f"{name}.txt", mimetype="text/plain", content=name.encode()) for name in ("a", "b")]
    study.add_trial(optuna.trial.create_trial(value=1.0, system_attrs=keep(both, kept)))
    found = get_all_artifact_meta(study.trials[0], storage=both.optuna)
    assert sorted((meta.filename, meta.mimetype) for meta in found) == [
        ("a.txt", "text/plain"),
        ("b.txt", "text/plain"),
    ]
    for meta in found:
        file = tmp_path / meta.filename
        download_artifact(artifact_store=DatabaseArtifacts(both), artifact_id=meta.artifact_id, file_path=str(file))
        assert f"{file.read_text()}.txt" == meta.filename
