from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
import torch

from search import ray_connection
from search.ray_connection import own_places, scratch_directory
from search.site import Site


def test_a_machine_without_a_gpu_has_a_place_a_core() -> None:
    places = own_places(Site())
    assert (places.cpus, places.gpus) == (1.0, 0.0)
    assert places.most == len(os.sched_getaffinity(0))
    assert own_places(Site(workers=5)).most == 5


def test_a_gpu_is_shared_as_was_measured_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))

    assert (own_places(Site(sharing=4)).gpus, own_places(Site(sharing=4)).most) == (0.25, 4)
    assert own_places(Site(sharing=4, gpus=0.5)).gpus == 0.5


def test_files_of_killed_runs_are_removed_and_those_of_others_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(ray_connection, "_LONGEST_TEMPORARY", 1000)
    dead, alive, foreign = (tmp_path / name for name in ("petitnet-999999999-x", "petitnet-1-x", "petitnet-notes"))
    for directory in (dead, alive, foreign):
        directory.mkdir()
    with scratch_directory() as scratch:
        assert scratch.parent == tmp_path
        assert not dead.exists()
    assert not scratch.exists()
    assert alive.exists()
    assert foreign.exists()


def test_a_temporary_directory_too_deep_for_sockets_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "deep" / "deeper"))
    with scratch_directory() as scratch:
        assert scratch.parent == Path("/tmp")
