"""The guard asked as a web server asks it; what it says is checked against the WSGI standard on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from dashboards.site.guard import Guard, is_loopback

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TOKEN = "0123456789abcdef"


@dataclass
class Behind:
    """An application that counts who gets through."""

    seen: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("Content-Type", "text/plain")])

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.seen.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        start_response("200 OK", self.headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else b"behind"]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    guard: Guard, path: str = "/", method: str = "GET", host: str = "localhost:8080", more: Any = None, **headers: str
) -> Answer:
    path, _, query = path.partition("?")
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "HTTP_HOST": host}
    environ["QUERY_STRING"] = query
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()} | (more or {})
    setup_testing_defaults(environ)
    heads: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        heads.append((status, headers))
        return lambda _: None

    parts = validator(guard)(environ, start_response)
    body = b"".join(parts)
    parts.close()  # type: ignore[attr-defined]
    status, found = heads[0]
    assert len(found) == len({name for name, _ in found})
    return Answer(int(status.split()[0]), dict(found), body)


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def guard(behind: Behind) -> Guard:
    return Guard(validator(behind))


@pytest.fixture
def locked(behind: Behind) -> Guard:
    return Guard(validator(behind), token=TOKEN)


def test_get_and_head_go_through(guard: Guard, behind: Behind) -> None:
    assert ask(guard, "/api/studies").body == b"behind"
    assert ask(guard, "/api/studies", "HEAD").body == b""
    assert behind.seen == ["GET /api/studies", "HEAD /api/studies"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")  # the validator does not know CONNECT
def test_nothing_can_be_changed(guard: Guard, behind: Behind, method: str) -> None:
    answer = ask(guard, "/api/studies/1", method)
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert behind.seen == []


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8080", "127.0.0.1:9", "[::1]", "[::1]:8080"])
def test_loopback_names_are_known(guard: Guard, host: str) -> None:
    assert ask(guard, host=host).status == 200


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "localhost:", "a b"],
)
def test_other_names_are_refused(guard: Guard, behind: Behind, host: str) -> None:
    assert ask(guard, host=host).status == 403
    assert behind.seen == []


def test_further_names_can_be_allowed(behind: Behind) -> None:
    guard = Guard(behind, hosts=["Dash.example", "10.0.0.7", "fe80::1"])
    for host in ("dash.example", "DASH.example:8080", "10.0.0.7:80", "[fe80::1]:8080", "localhost"):
        assert ask(guard, host=host).status == 200
    assert ask(guard, host="other.example").status == 403


def test_every_answer_is_hardened(guard: Guard, locked: Guard) -> None:
    for answer in (ask(guard), ask(guard, method="POST"), ask(guard, host="evil.example"), ask(locked)):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_the_application_may_have_its_own_policy(guard: Guard, behind: Behind) -> None:
    behind.headers.append(("content-security-policy", "default-src 'none'"))
    answer = ask(guard)
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert "Content-Security-Policy" not in answer.headers


def test_without_the_token_nobody_gets_in(locked: Guard, behind: Behind) -> None:
    for headers in (
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": f"Basic {TOKEN}"},
        {"cookie": "petitnet_dashboard="},
        {"cookie": f"petitnet_dashboard={TOKEN}"},
        {"cookie": "ä=\x80; petitnet_dashboard=ä"},
    ):
        answer = ask(locked, "/api/studies", **headers)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert ask(locked, "/?token=wrong").status == ask(locked, "/?token=").status == 401
    assert behind.seen == []


def test_a_bearer_gets_in(locked: Guard) -> None:
    assert ask(locked, authorization=f"Bearer {TOKEN}").body == b"behind"
    assert ask(locked, authorization=f"bearer  {TOKEN}").body == b"behind"


def test_a_token_in_the_address_becomes_a_cookie(locked: Guard, behind: Behind) -> None:
    answer = ask(locked, f"/dashboard/studies/3?a=1&token={TOKEN}&b=%20x")
    assert answer.status == 303
    assert answer.headers["Location"] == "/dashboard/studies/3?a=1&b=+x"
    assert behind.seen == []
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"]) == ("Strict", "/")
    assert TOKEN not in answer.headers["Set-Cookie"]
    assert ask(locked, cookie=f"other=1; {cookie.key}={cookie.value}").body == b"behind"
    other = Guard(behind, token=TOKEN[::-1])
    assert ask(other, cookie=f"{cookie.key}={cookie.value}").status == 401


@pytest.mark.parametrize("path", ["//evil.example/", "///evil.example", "/\\evil.example", "/\r\nX: y"])
def test_the_way_back_stays_here(locked: Guard, path: str) -> None:
    place = ask(locked, f"{path}?token={TOKEN}").headers["Location"]
    assert place.startswith("/")
    assert not place.startswith(("//", "/\\"))
    assert "\r" not in place


def test_a_token_does_not_open_other_names_or_methods(locked: Guard) -> None:
    assert ask(locked, host="evil.example", authorization=f"Bearer {TOKEN}").status == 403
    assert ask(locked, method="POST", authorization=f"Bearer {TOKEN}").status == 405


WRITES = [("PUT", "/api/studies/3/note"), ("PUT", "/api/studies/3/14/note"), ("POST", "/api/trials/14/user-attrs")]
JSON = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "2"}


@pytest.fixture
def writable(behind: Behind) -> Guard:
    return Guard(validator(behind), token=TOKEN, allow_writes=True)


def write(guard: Guard, method: str, path: str, **told: Any) -> int:
    """The status of a write as our own page makes it, but for what is `told`."""
    headers = {"authorization": f"Bearer {TOKEN}", "origin": "http://localhost:8080"} | told
    sent = {name: value for name, value in headers.items() if value is not None}
    return ask(guard, path, method, **({"more": JSON} | sent)).status


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_notes_can_be_written_where_writes_are_allowed(writable: Guard, locked: Guard, method: str, path: str) -> None:
    assert write(writable, method, path) == 200
    assert write(writable, method, path, origin=None, sec_fetch_site="same-origin") == 200
    assert write(locked, method, path) == 405


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/studies"),
        ("DELETE", "/api/studies/3"),
        ("POST", "/api/studies/3/rename"),
        ("POST", "/api/trials/14/tell"),
        ("POST", "/api/studies/3/note"),
        ("DELETE", "/api/studies/3/note"),
        ("PUT", "/api/studies/3/14/15/note"),
        ("PUT", "/api/studies/3/note/"),
        ("PUT", "/api/studies/x/note"),
        ("PUT", "/api/studies/\xd9\xa3/note"),
        ("PUT", "/api/studies/3/note\n"),
        ("PUT", "//api/studies/3/note"),
        ("PUT", "/studies/3/note"),
        ("PUT", "/api/studies/3/preference_feedback_component"),
        ("POST", "/api/artifacts/3/14"),
        ("DELETE", "/api/artifacts/3/14/15"),
        ("POST", "/api/llm/x"),
        ("POST", "/incompatible-rdb-schema"),
        ("PATCH", "/api/studies/3/note"),
    ],
)
def test_nothing_but_notes_can_be_written(writable: Guard, behind: Behind, method: str, path: str) -> None:
    assert write(writable, method, path) == 405
    assert behind.seen == []


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_writes_need_the_token(writable: Guard, behind: Behind, method: str, path: str) -> None:
    assert write(writable, method, path, authorization=None) == 401
    assert write(writable, method, path, authorization="Bearer wrong") == 401
    assert write(writable, method, path, host="evil.example", origin="http://evil.example") == 403
    assert behind.seen == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": None},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9090"},
        {"origin": "localhost:8080"},
        {"origin": "ftp://localhost:8080"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none", "origin": None},
        {"sec_fetch_site": "same-origin", "origin": "http://evil.example"},
    ],
)
def test_writes_must_come_from_our_own_pages(writable: Guard, behind: Behind, headers: dict[str, str]) -> None:
    assert write(writable, *WRITES[0], **headers) == 403
    assert behind.seen == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"CONTENT_TYPE": "application/json; charset=utf-8"}, 200),
        ({"CONTENT_TYPE": "text/plain"}, 415),
        ({"CONTENT_TYPE": "application/x-www-form-urlencoded"}, 415),
        ({"CONTENT_TYPE": ""}, 415),
        ({"CONTENT_LENGTH": ""}, 411),
        ({"CONTENT_LENGTH": "262144"}, 200),
        ({"CONTENT_LENGTH": "262145"}, 413),
        ({"CONTENT_LENGTH": "9" * 4000}, 413),
    ],
)
def test_writes_must_be_small_json(writable: Guard, sent: dict[str, str], status: int) -> None:
    assert write(writable, *WRITES[0], more=JSON | sent) == status


def test_writes_without_a_token_cannot_be_asked_for(behind: Behind) -> None:
    with pytest.raises(ValueError, match="there is none"):
        Guard(behind, allow_writes=True)


def test_an_invitation_opens_once(locked: Guard, behind: Behind) -> None:
    invitation = locked.invite()
    assert invitation != locked.invite()
    answer = ask(locked, f"/studies/a?token={invitation}")
    assert answer.status == 303
    assert answer.headers["Location"] == "/studies/a"
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert ask(locked, cookie=f"{cookie.key}={cookie.value}").body == b"behind"
    assert ask(locked, f"/?token={invitation}").status == 401
    assert ask(locked, authorization=f"Bearer {locked.invite()}").status == 401


def test_health_needs_no_token(locked: Guard, behind: Behind) -> None:
    assert ask(locked, "/healthz").body == b"ok\n"
    assert ask(locked, "/healthz", "HEAD").body == b""
    assert ask(locked, "/healthz", host="evil.example").status == 403
    assert behind.seen == []


def test_which_hosts_are_loopback() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example.org", ""))
