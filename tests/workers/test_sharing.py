from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from workers import practice, sharing
from workers.numerics import Numerics
from workers.practice import Practice, pace
from workers.sharing import best, ladder, most_productive


class Clock:
    """Stands still unless it is told to go on."""

    def __init__(self) -> None:
        self.time = 10.0

    def __call__(self) -> float:
        return self.time

    def epoch(self) -> int:
        """600 images in 0.4 s."""
        self.time += 0.4
        return 600


class Rehearsed:
    """A Practice whose processes get in each other's way when there are more than so many."""

    def __init__(self, count: int, numerics: Numerics) -> None:
        self.count = count
        started.append(count)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        pass

    def images_a_second(self, count: int, seconds: float) -> float:
        assert count <= self.count
        return 1000.0 * min(count, MOST)


MOST = 4
started: list[int] = []


@pytest.fixture(autouse=True)
def rehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    started.clear()
    monkeypatch.setattr(sharing, "Practice", Rehearsed)


def sharing_of(cache: Path, ceiling: int = 8, key: str = "a GPU") -> int | None:
    return most_productive(cache, key, ceiling, Numerics())


def test_the_pace_is_that_of_whole_epochs() -> None:
    clock = Clock()
    assert pace(clock.epoch, 1.0, clock) == pytest.approx(1800 / 1.2)
    assert pace(clock.epoch, 0.1, clock) == pytest.approx(600 / 0.4)


@pytest.mark.parametrize(("ceiling", "counts"), [(1, [1]), (2, [1, 2]), (3, [1, 2]), (8, [1, 2, 4, 8])])
def test_numbers_are_doubled_up_to_the_ceiling(ceiling: int, counts: list[int]) -> None:
    assert ladder(ceiling) == counts


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({1: 100.0}, 1),
        ({1: 100.0, 2: 180.0, 4: 300.0}, 4),
        ({1: 100.0, 2: 180.0, 4: 185.0, 8: 170.0}, 2),  # 4 is hardly faster
        ({1: 100.0, 2: 90.0}, 1),
    ],
)
def test_the_best_is_the_smallest_that_is_hardly_slower(rates: dict[int, float], expected: int) -> None:
    assert best(rates) == expected


def test_measured_once_and_then_read(tmp_path: Path) -> None:
    cache = tmp_path / "not" / "there" / "sharing.json"
    assert [sharing_of(cache) for _ in range(3)] == [MOST] * 3
    assert started == [8]
    assert json.loads(cache.read_text()) == {"a GPU": {"1": 1000.0, "2": 2000.0, "4": 4000.0, "8": 4000.0}}


def test_another_gpu_is_measured_beside_it(tmp_path: Path) -> None:
    cache = tmp_path / "sharing.json"
    sharing_of(cache)
    sharing_of(cache, key="another GPU")
    assert started == [8, 8]
    assert json.loads(cache.read_text()).keys() == {"a GPU", "another GPU"}


def test_memory_is_a_ceiling_that_may_differ_between_data_sets(tmp_path: Path) -> None:
    cache = tmp_path / "sharing.json"
    assert sharing_of(cache, ceiling=8) == MOST
    assert sharing_of(cache, ceiling=3) == 2
    assert started == [8]  # what was measured to 8 tells of 3 as well


def test_a_higher_ceiling_is_measured_again(tmp_path: Path) -> None:
    cache = tmp_path / "sharing.json"
    assert sharing_of(cache, ceiling=2) == 2
    assert sharing_of(cache, ceiling=8) == MOST
    assert started == [2, 8]


@pytest.mark.parametrize("damaged", ["", "[1]", '{"a GPU": [1, 2]}', '{"a GPU": {"one": 3}}', '{"a GPU": {"1": null}}'])
def test_a_damaged_file_is_measured_again(damaged: str, tmp_path: Path) -> None:
    cache = tmp_path / "sharing.json"
    cache.write_text(damaged)
    assert sharing_of(cache) == MOST
    assert started == [8]


@pytest.mark.parametrize("error", [EOFError(), TimeoutError("late"), OSError("no more processes")])
def test_what_cannot_be_measured_is_not_remembered(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> float:
        raise error

    monkeypatch.setattr(Rehearsed, "images_a_second", fail)
    cache = tmp_path / "sharing.json"
    assert sharing_of(cache) is None
    assert not cache.exists()


def test_processes_train_when_they_are_told() -> None:
    with Practice(1, Numerics(), images=256) as crew:
        assert crew.images_a_second(1, 0.01) > 0


def test_a_process_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(practice, "_PATIENCE", 0.0)
    with pytest.raises(TimeoutError, match="has not answered"), Practice(1, Numerics()):
        pass
