"""Answers that are made once for all who ask."""

from __future__ import annotations

import threading

import pytest

from dashboards.site.answers import Answer
from dashboards.site.cache import Cache


def answer(text: str) -> Answer:
    return Answer(body=text.encode(), kind="text/plain")


def test_an_answer_is_made_once_for_each_version() -> None:
    cache, made = Cache(), list[str]()

    def make(text: str) -> Answer:
        made.append(text)
        return answer(text)

    for version in ("1", "1", "2", "2", "1"):
        assert cache.get("key", version, lambda text=version: make(text)).body == version.encode()  # type: ignore[misc]
    assert made == ["1", "2", "1"]


def test_the_same_body_has_the_same_tag_in_every_version() -> None:
    cache = Cache()
    tags = {cache.get("key", version, lambda: answer("same")).tag for version in "12"}
    assert len(tags) == 1
    assert cache.get("key", "3", lambda: answer("other")).tag not in tags


def test_an_error_is_not_kept() -> None:
    cache = Cache()

    def fail() -> Answer:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.get("key", "1", fail)
    assert cache.get("key", "1", lambda: answer("there")).body == b"there"


def test_of_many_threads_one_makes_it() -> None:
    cache, made, all_ask = Cache(), list[int](), threading.Barrier(8)

    def make() -> Answer:
        made.append(1)
        return answer("x" * 5000)

    def ask() -> None:
        all_ask.wait(10)
        cache.get("key", "1", make)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_the_answers_asked_for_longest_ago_are_forgotten() -> None:
    cache, made = Cache(most=2), list[str]()

    def make(key: str) -> Answer:
        made.append(key)
        return answer(key)

    for key in ("a", "b", "a", "c", "a", "b"):
        cache.get(key, "1", lambda key=key: make(key))  # type: ignore[misc]
    assert made == ["a", "b", "c", "b"]
