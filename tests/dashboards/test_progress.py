from __future__ import annotations

import io
import time
from dataclasses import replace

import pytest
from rich.console import Console

from dashboards.progress import LiveView, PlainView, Snapshot, draw, pareto_rows, pruned_by_rung, summary, view
from space.candidate import Candidate, Confirmation, State
from tests.dashboards.studies import won


@pytest.fixture
def snapshot(candidates: list[Candidate]) -> Snapshot:
    return Snapshot(
        study="digits-1000-0.9",
        budgets=(1000,),
        ceiling=1000,
        target=0.9,
        confirmations=3,
        candidates=candidates,
        begun=100.0,
        trained_before=1,
        trials=9,
        deadline=None,
    )


def console() -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=80), file


def drawn(snapshot: Snapshot, now: float) -> str:
    screen, file = console()
    screen.print(draw(snapshot, now, pareto_rows(snapshot, 80, 24)))
    return file.getvalue()


def test_speed_counts_this_run_only(snapshot: Snapshot) -> None:
    assert snapshot.trained == 5
    assert snapshot.per_minute(now=160.0) == pytest.approx(4.0)


def test_what_an_earlier_run_left_unfinished_does_not_count_as_trained(snapshot: Snapshot) -> None:
    left = Candidate(number=7, state=State.FAILED, origin="sampler", interrupted=True)
    assert replace(snapshot, candidates=[*snapshot.candidates, left]).trained == 5


def test_time_left_is_that_of_the_first_limit(snapshot: Snapshot) -> None:
    assert snapshot.seconds_left(now=160.0) == pytest.approx(60.0)
    assert replace(snapshot, deadline=170.0).seconds_left(now=160.0) == pytest.approx(10.0)
    assert replace(snapshot, trained_before=5).seconds_left(now=160.0) is None


def test_the_best_is_the_most_accurate_of_those_trained_longest(snapshot: Snapshot) -> None:
    assert snapshot.best is not None
    assert snapshot.best.number == 4
    assert replace(snapshot, candidates=[]).best is None


def test_hits_are_confirming_until_all_fresh_trainings_are_there(snapshot: Snapshot) -> None:
    assert [candidate.number for candidate in snapshot.confirming] == [3, 4]


def test_hits_that_are_larger_than_is_of_use_are_not_confirming(snapshot: Snapshot) -> None:
    assert [candidate.number for candidate in replace(snapshot, ceiling=650).confirming] == [4]


def test_each_of_several_budgets_and_its_winner_is_shown(snapshot: Snapshot, candidates: list[Candidate]) -> None:
    several = replace(snapshot, budgets=(500, 650, 1000), trail=won(candidates[3]))
    text = drawn(several, now=160.0)
    assert "90.00 % with at most 500, 650 or 1,000 parameters" in text
    assert "500          none yet" in text
    assert "650          95.00 % after 16, 600, #4" in text
    assert "1,000        winner #3, 700, 92.00 % confirmed" in text
    assert len(text.splitlines()) <= 24


def test_where_shrinking_has_come_to_is_shown_and_told(snapshot: Snapshot, candidates: list[Candidate]) -> None:
    shrunk = replace(snapshot, ceiling=699, trail=won(candidates[3]))
    assert "winner #3, now with at most 699 parameters" in drawn(shrunk, now=160.0)
    screen, file = console()
    plain = PlainView(screen)
    for one in (snapshot, shrunk, shrunk, replace(shrunk, ceiling=0, trail=won(*candidates[3:5]))):
        plain.update(one)
    told = [line for line in file.getvalue().splitlines() if "winner" in line]
    assert len(told) == 1
    assert told[0].endswith("#3 700 parameters: winner; the search goes on with at most 699")


def test_pruned_candidates_are_counted_by_their_rung(candidates: list[Candidate]) -> None:
    assert pruned_by_rung(candidates) == {1: 1, 4: 1}


def test_the_live_view_says_all_that_matters_in_eighty_columns(snapshot: Snapshot) -> None:
    text = drawn(snapshot, now=160.0)
    for part in (
        "digits-1000-0.9  1:00",
        "2 trained to the end, 1 running, 1 failed",
        "1 over budget, 1 after 1 epoch, 1 after 4 epochs",
        "4.0 candidates a minute, limits reached in 1:00",
        "90.00 % with at most 1,000 parameters",
        "95.00 % after 16 epochs, 600 parameters, #4",
        "confirming #3: 2 of 3 (91.00 %, 93.00 %)",
        "none has begun yet",
        "o trained",
    ):
        assert part in text
    assert max(map(len, text.splitlines())) <= 80
    assert len(text.splitlines()) <= 24


@pytest.mark.parametrize("length", [1, 60, 200])
def test_the_plot_leaves_room_for_all_that_is_above_it(snapshot: Snapshot, length: int) -> None:
    long = [replace(candidate, line="4c3-" * (length // 4) + "G") for candidate in snapshot.candidates]
    rows = drawn(replace(snapshot, candidates=long), now=160.0).splitlines()
    assert len(rows) <= 23
    assert max(map(len, rows)) <= 80
    assert any(row.lstrip().startswith("+---") for row in rows)


def test_on_a_low_terminal_there_is_no_plot(snapshot: Snapshot) -> None:
    assert pareto_rows(snapshot, 80, 15) == []
    assert len(pareto_rows(snapshot, 80, 60)) == len(pareto_rows(snapshot, 80, 100))


def test_workers_and_their_gpus_are_told(snapshot: Snapshot) -> None:
    assert "workers      3 of 4 training\n" in _plain(drawn(replace(snapshot, workers=4, at_work=3), now=160.0))
    shared = replace(snapshot, workers=4, at_work=3, gpus=0.75)
    assert "3 of 4 training, on 0.75 GPUs" in drawn(shared, now=160.0)
    assert "3 of 4 training, on 1 GPU " in drawn(replace(shared, gpus=1.0), now=160.0)


def _plain(text: str) -> str:
    return "\n".join(row.rstrip() for row in text.splitlines())


def test_the_live_view_of_nothing_yet(snapshot: Snapshot) -> None:
    text = drawn(replace(snapshot, candidates=[], trained_before=0), now=100.0)
    assert "none yet" in text
    assert "time left not known yet" in text


def test_plain_lines_tell_each_end_once(snapshot: Snapshot, candidates: list[Candidate]) -> None:
    screen, file = console()
    plain = PlainView(screen)
    with plain:
        plain.update(replace(snapshot, candidates=candidates[:-1]))
        plain.update(snapshot)
        done = replace(candidates[6], state=State.PRUNED, rungs={1: 0.4})
        plain.update(replace(snapshot, candidates=[*candidates[:6], done]))
        plain.update(replace(snapshot, candidates=[*candidates[:6], done]))
    told = [line for line in file.getvalue().splitlines() if "#" in line]
    assert len(told) == 1
    assert told[0].endswith("#6 400 parameters: 40.00 %, pruned")


def test_plain_lines_tell_failures_and_confirmations(snapshot: Snapshot, candidates: list[Candidate]) -> None:
    screen, file = console()
    plain = PlainView(screen)
    plain.update(snapshot)
    failed = replace(candidates[6], state=State.FAILED, reason="its worker died")
    third = Confirmation(fold=3, seed=3, accuracy=0.92, seconds=1.0)
    confirmed = replace(candidates[3], confirmations=(*candidates[3].confirmations, third))
    plain.update(replace(snapshot, candidates=[*candidates[:3], confirmed, *candidates[4:6], failed]))
    text = file.getvalue()
    assert "#6 400 parameters: failed: its worker died" in text
    assert "#3 700 parameters: confirmation 3: 92.00 % (fold 3)" in text


def test_a_minute_without_workers_is_told(snapshot: Snapshot) -> None:
    now = time.monotonic()
    for begun, workers, is_told in ((now, 0, False), (now - 61, 0, True), (now - 61, 2, False)):
        screen, file = console()
        PlainView(screen).update(replace(snapshot, begun=begun, workers=workers))
        assert (", no worker has begun yet" in file.getvalue().replace("\n", " ")) == is_told


def test_a_summary_is_one_line(snapshot: Snapshot) -> None:
    assert summary(snapshot, now=160.0) == (
        "digits-1000-0.9: 2 complete, 1 running, 1 over budget, 2 pruned, 1 failed, 4.0 a minute, best 95.00 % after 16"
    )


def test_a_terminal_gets_the_live_view_and_a_pipe_plain_lines() -> None:
    assert isinstance(view(Console(force_terminal=True)), LiveView)
    assert isinstance(view(Console(file=io.StringIO())), PlainView)


def test_the_live_view_leaves_the_terminal_as_it_was(snapshot: Snapshot) -> None:
    file = io.StringIO()
    with LiveView(Console(file=file, force_terminal=True, width=80)) as live:
        live.update(snapshot)
    assert "\x1b[?25h" in file.getvalue()  # the cursor is shown again
