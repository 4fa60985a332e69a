from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from search import tuning
from search.conductor import Conductor
from search.ledger import Ledger
from search.places import Places


def test_a_machine_without_a_gpu_has_a_place_a_core() -> None:
    places = tuning.own_places(tuning.Site())
    assert (places.cpus, places.gpus) == (1.0, 0.0)
    assert places.most == len(os.sched_getaffinity(0))
    assert tuning.own_places(tuning.Site(workers=5)).most == 5


def test_what_tune_pickles_holds_nothing_of_the_study(
    ledger: Ledger, make_conductor: Callable[..., Conductor], database: str
) -> None:
    bridge = tuning._Bridge(make_conductor(ledger), None, Places(), lambda: None)
    pickled = pickle.dumps((tuning._Workers(bridge), tuning._Results(bridge), tuning._Stop(bridge)))
    assert database.encode() not in pickled


def test_files_of_killed_runs_are_removed_and_those_of_others_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(tuning, "_LONGEST_TEMPORARY", 1000)
    dead, alive, foreign = (tmp_path / name for name in ("petitnet-999999999-x", "petitnet-1-x", "petitnet-notes"))
    for directory in (dead, alive, foreign):
        directory.mkdir()
    with tuning._scratch() as scratch:
        assert scratch.parent == tmp_path
        assert not dead.exists()
    assert not scratch.exists()
    assert alive.exists()
    assert foreign.exists()


def test_a_temporary_directory_too_deep_for_sockets_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "deep" / "deeper"))
    with tuning._scratch() as scratch:
        assert scratch.parent == Path("/tmp")
