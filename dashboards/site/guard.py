"""A gate before a web application that was made for one trusted user: who may ask, for what, under which name."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEALTH = "/healthz"
"""Answers without a token, and tells nothing but that we are there."""
_COOKIE = "petitnet_dashboard"
_LARGEST = 256 * 1024
"""Bytes that somebody may write at once."""
_DIGITS = 9
_WRITES = {
    "PUT": re.compile(r"/api/studies/\d+(/\d+)?/note", re.ASCII),
    "POST": re.compile(r"/api/trials/\d+/user-attrs", re.ASCII),
}
"""By method, what may be written to in Optuna's dashboard 0.21 where writes are allowed: notes and what people remark
on a trial. Nothing that deletes, renames, tells or makes studies and trials."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "petitnet",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every response, unless the application sets its own."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """WSGI middleware: lets GET and HEAD through, under known host names, from those who know the token.

    A page under another name (DNS rebinding) gets 403, a method that could change something 405, and whoever has no
    token 401. A token comes as `Authorization: Bearer`, or once as `?token=`, which is answered by a cookie and the
    same address without it. The cookie is made from the token but is not the token.

    Where writes are allowed, notes and remarks may be written as well: by who knows the token, from a page of our own
    as the browser's `Sec-Fetch-Site` or `Origin` says, as JSON, and not more than a little at once.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        hosts: Iterable[str] = (),
        token: str | None = None,
        allow_writes: bool = False,
    ) -> None:
        """`hosts` are names besides those of the loopback interface; without a `token` everybody may look.

        ValueError where everybody could write.
        """
        if allow_writes and token is None:
            raise ValueError("writes are allowed to those who know a token alone, but there is none")
        self._application = application
        self._hosts = _LOOPBACK | {_without_port(host) for host in hosts}
        self._token = token
        self._allow_writes = allow_writes
        self._cookie = "" if token is None else hmac.digest(token.encode(), b"cookie", hashlib.sha256).hex()
        self._invitations: set[str] = set()

    def invite(self) -> str:
        """What stands for the token once, as `?token=`: for commands whose arguments others can see."""
        invitation = secrets.token_urlsafe(24)
        self._invitations.add(invitation)
        return invitation

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start = _hardened(start_response)
        if _without_port(environ.get("HTTP_HOST", "")) not in self._hosts:
            return _say(environ, start, "403 Forbidden", "this is not one of the names that this server goes by")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") and not self._is_write(environ):
            return _say(environ, start, "405 Method Not Allowed", "this dashboard only shows", Allow="GET, HEAD")
        if environ.get("PATH_INFO") == HEALTH:
            return _say(environ, start, "200 OK", "ok")
        if self._token is None or self._has_header(environ) or self._has_cookie(environ):
            refused = self._is_write(environ) and _refused(environ)
            return _say(environ, start, *refused) if refused else self._application(environ, start)
        if self._is_invited(dict(_query(environ)).get("token", "")):
            return self._let_in(environ, start)
        text = "a token is needed, once as ?token=... or in each request as Authorization: Bearer ..."
        return _say(environ, start, "401 Unauthorized", text, **{"WWW-Authenticate": "Bearer"})

    def _is_write(self, environ: WSGIEnvironment) -> bool:
        """Whether it is one of the writes that are let through."""
        place = _WRITES.get(environ["REQUEST_METHOD"])
        return self._allow_writes and place is not None and bool(place.fullmatch(environ.get("PATH_INFO", "")))

    def _is_invited(self, given: str) -> bool:
        if given in self._invitations:
            self._invitations.discard(given)
            return True
        return self._same(given, self._token or "")

    def _has_header(self, environ: WSGIEnvironment) -> bool:
        kind, _, given = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        return kind.lower() == "bearer" and self._same(given.strip(), self._token or "")

    def _has_cookie(self, environ: WSGIEnvironment) -> bool:
        try:
            cookies = SimpleCookie(environ.get("HTTP_COOKIE", ""))
        except CookieError:
            return False
        return _COOKIE in cookies and self._same(cookies[_COOKIE].value, self._cookie)

    def _let_in(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = "/" + quote(environ.get("PATH_INFO", "").encode("latin-1")).lstrip("/")
        rest = urlencode([(name, value) for name, value in _query(environ) if name != "token"])
        return _say(
            environ,
            start,
            "303 See Other",
            "welcome",
            **{
                "Location": f"{path}?{rest}" if rest else path,
                "Set-Cookie": f"{_COOKIE}={self._cookie}; Path=/; HttpOnly; SameSite=Strict",
                "Cache-Control": "no-store",
            },
        )

    @staticmethod
    def _same(given: str, wanted: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


def _refused(environ: WSGIEnvironment) -> tuple[str, str] | None:
    """Status and reason where a write is not a small JSON document from a page of our own; None where it is."""
    if not _is_from_here(environ):
        return "403 Forbidden", "writes must come from a page of this server"
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
        return "415 Unsupported Media Type", "what is written must be application/json"
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdecimal()):
        return "411 Length Required", "what is written must say how long it is"
    if len(length) > _DIGITS or int(length) > _LARGEST:
        return (
            "413 Content Too Large",
            f"what is written must have at most {_LARGEST} bytes, but got {length[:_DIGITS]}",
        )
    return None


def _is_from_here(environ: WSGIEnvironment) -> bool:
    """By what browsers say of the page that asks; who says nothing of it is refused."""
    site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
    if site is not None and site != "same-origin":
        return False
    if origin is not None:
        scheme, _, place = origin.lower().partition("://")
        return scheme in ("http", "https") and place == environ.get("HTTP_HOST", "").strip().lower()
    return site is not None


def _query(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    return parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)


def _without_port(host: str) -> str:
    """`localhost` of `localhost:8080`, `[::1]` of `[::1]:8080` and of a bare `::1`."""
    host = host.strip().lower()
    if host.count(":") > 1 and not host.startswith("["):
        return f"[{host}]"
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def _hardened(start_response: StartResponse) -> StartResponse:
    def start(status: str, headers: list[tuple[str, str]], *exception: Any) -> Any:
        there = {name.lower() for name, _ in headers}
        more = [(name, value) for name, value in _HEADERS.items() if name.lower() not in there]
        return start_response(status, headers + more, *exception)

    return start


def _say(environ: WSGIEnvironment, start: StartResponse, status: str, text: str, **headers: str) -> list[bytes]:
    body = f"{text}\n".encode()
    plain = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start(status, plain + list(headers.items()))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
