from __future__ import annotations

import io
import json
import random
from typing import Any

import pytest

from search.ledger import Ledger
from search.records import OWN_ATTRIBUTES
from search.remarks import keeping_ours
from search.settings import StudySettings


def post(body: bytes, path: str = "/api/trials/3/user-attrs") -> tuple[str, bytes]:
    """The status, and what the application behind got."""
    got: list[bytes] = []
    statuses: list[str] = []

    def behind(environ: Any, start_response: Any) -> list[bytes]:
        got.append(environ["wsgi.input"].read())
        start_response("204 No Content", [])
        return []

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    list(keeping_ours(behind)(environ, lambda status, _: statuses.append(status)))  # type: ignore[arg-type]
    return statuses[0], b"".join(got)


@pytest.mark.parametrize("name", ["driver", "parameters", "architecture"])
def test_what_is_ours_stays_as_it_is(name: str) -> None:
    body = json.dumps({"user_attrs": {"seen by": "Ada", name: 7}}).encode()
    assert post(body) == ("403 Forbidden", b"")


@pytest.mark.parametrize("body", [b'{"user_attrs": {"seen by": "Ada"}}', b"not json", b"[1]", b'{"user_attrs": 3}'])
def test_all_else_comes_through_as_it_was_sent(body: bytes) -> None:
    assert post(body) == ("204 No Content", body)


def test_other_addresses_are_not_looked_into() -> None:
    body = json.dumps({"user_attrs": {"driver": 7}}).encode()
    assert post(body, "/api/studies/1/note") == ("204 No Content", body)


def test_every_attribute_that_a_candidate_has_is_ours(ledger: Ledger, settings: StudySettings) -> None:
    number = ledger.begin(settings.space, settings.space.random(random.Random(1)), settings.budget, again=None)
    ledger.tell_failed(number, "its worker died")
    ledger.reject(settings.space, settings.space.random(random.Random(2)), settings.budget)
    written = {name for trial in ledger._study.trials for name in trial.user_attrs}
    assert written
    assert written <= OWN_ATTRIBUTES
