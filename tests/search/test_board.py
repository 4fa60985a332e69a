"""Studies read for many readers at once."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter

import optuna
import pytest
from sqlalchemy import event

from dashboards.site.board import AwayError, MissingError
from search import board as boards
from search.artifacts import Artifact, keep
from search.board import Board
from search.drivers import Presence
from search.ledger import Ledger, RungResult
from search.storage import Store
from space.candidate import State
from tests.studies_in_databases import confirm, make


@pytest.fixture
def filled(store: Store) -> Ledger:
    return make(store, "study", 30)


@pytest.fixture
def board(store: Store, filled: Ledger, monkeypatch: pytest.MonkeyPatch) -> Board:
    """One that reads anew each time it is asked."""
    monkeypatch.setattr(boards, "PERIOD", 0.0)
    return Board(store)


def running(ledger: Ledger) -> int:
    return next(one.number for one in ledger.candidates() if one.state == State.RUNNING)


def test_a_study_is_read_as_it_is(board: Board, filled: Ledger) -> None:
    standing = board.standing("study")
    assert standing.study.candidates == filled.candidates()
    assert (standing.study.dataset, standing.study.budget, standing.study.target) == ("mnist", 10_000, 0.994)
    assert (standing.study.winner, standing.drivers) == (None, ())
    assert board.names() == ["study"]


def test_the_version_changes_when_anything_does_and_only_then(board: Board, filled: Ledger, store: Store) -> None:
    versions = [board.standing("study").version]

    def changed() -> bool:
        versions.append(board.standing("study").version)
        assert board.standing("study").version == versions[-1]
        return versions.count(versions[-1]) == 1

    assert not changed()
    number = running(filled)
    filled.report(number, RungResult(1, 0.9, 1.0))
    assert changed()
    filled.tell_complete(number, RungResult(16, 0.9, 1.0))
    assert changed()
    confirm(filled)
    assert changed()
    presence = Presence(store.engine, "study")
    assert changed()
    assert len(board.standing("study").drivers) == 1
    presence.leave()
    assert changed()
    assert not changed()


def test_many_readers_read_the_database_once_a_second(store: Store, filled: Ledger) -> None:
    board = Board(store)
    board.standing("study")
    board.names()
    asked: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    threads = [threading.Thread(target=lambda: [board.standing("study") for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(Counter(asked).values(), default=0) <= 2


def test_readers_in_many_threads_see_what_one_writes(board: Board, filled: Ledger) -> None:
    failed: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                assert len(board.standing("study").study.candidates) == 30
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for one in filled.candidates():
        if one.state == State.RUNNING:
            filled.tell_complete(one.number, RungResult(16, 0.99, 1.0))
    done.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert board.standing("study").study.candidates == filled.candidates()


def test_a_study_that_is_made_anew_is_read_anew(board: Board, store: Store) -> None:
    before = board.standing("study")
    optuna.delete_study(study_name="study", storage=store.optuna)
    with pytest.raises(MissingError, match="no study is called study"):
        board.standing("study")
    make(store, "study", 3, seed=5)
    after = board.standing("study")
    assert len(after.study.candidates) == 3
    assert after.version != before.version


def test_what_is_not_ours_is_not_there(board: Board, store: Store) -> None:
    optuna.create_study(storage=store.optuna, study_name="foreign")
    for name in ("foreign", "none"):
        with pytest.raises(MissingError):
            board.standing(name)
    assert board.names() == ["study"]


def test_files_of_a_candidate_have_addresses(board: Board, filled: Ledger, store: Store) -> None:
    number = running(filled)
    assert board.kept("study", number) == []
    hidden = keep(store, [Artifact(filename="layers.svg", mimetype="image/svg+xml", content=b"<svg/>")])
    trial = store.optuna.get_trial_id_from_study_id_trial_number(board.standing("study").identity, number)
    for key, value in hidden.items():
        store.optuna.set_trial_system_attr(trial, key, value)
    (found,) = board.kept("study", number)
    assert (found.filename, found.mimetype) == ("layers.svg", "image/svg+xml")
    assert found.address == f"/artifacts/1/{trial}/{next(iter(hidden)).removeprefix('artifacts:')}"


def test_importance_and_report_are_of_the_study(board: Board) -> None:
    shares = board.with_importance("study").importance
    assert sum(shares.values()) == pytest.approx(1)
    assert board.report("study").study.name == "study"


def test_a_database_that_is_away_is_said_so(board: Board, store: Store) -> None:
    board.standing("study")

    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    event.listen(store.engine, "do_connect", refuse)
    store.engine.dispose()
    for ask in (board.names, lambda: board.standing("study"), lambda: board.kept("study", 0)):
        with pytest.raises(AwayError, match="unable to open"):
            ask()
    event.remove(store.engine, "do_connect", refuse)
    assert board.names() == ["study"]
