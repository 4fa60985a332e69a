"""What the dashboard's pages are answered with, and how that is sent."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dashboards.site.html import Html

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of our pages: nothing comes from elsewhere, no script from within a page; plotly writes styles into it."""
STYLES_ONLY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
"""Of pages that need no script, such as the report."""
FOR_EVER = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"
_SHORTEST = 1000
"""Bytes below which an answer is not compressed."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, body and the headers that are not the same for all."""

    body: bytes
    kind: str
    """Its media type."""
    status: str = "200 OK"
    tag: str = ""
    """Another one for another body; without one it is made from the body."""
    cache: str = _ASK_AGAIN
    policy: str = POLICY
    compressed: bytes | None = None
    """The body in gzip, where somebody has it already."""


def page(content: Html, policy: str = POLICY) -> Answer:
    """A page, or a part of one."""
    return Answer(body=content.encode(), kind="text/html; charset=utf-8", policy=policy)


def as_json(value: Any) -> Answer:
    """Plain values."""
    return Answer(body=json.dumps(value, separators=(",", ":")).encode(), kind="application/json")


def picture(svg: str) -> Answer:
    """An SVG document."""
    return Answer(body=svg.encode(), kind="image/svg+xml", policy=STYLES_ONLY)


def entity_tag(body: bytes) -> str:
    """What stands for a body: another one for another."""
    return hashlib.sha256(body).hexdigest()[:32]


def etag(tag: str) -> str:
    """As the header has it; weak, because a body is sent compressed or not."""
    return f'W/"{tag}"'


def tagged(answer: Answer) -> Answer:
    """The answer with a tag and compressed, to be sent many times."""
    compressed = gzip.compress(answer.body, 6, mtime=0) if len(answer.body) >= _SHORTEST else None
    return replace(answer, tag=answer.tag or entity_tag(answer.body), compressed=compressed)


def send(answer: Answer, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The answer as the request wants it: compressed, without its body, or only that it is what the client has."""
    tag = etag(answer.tag or entity_tag(answer.body))
    headers = [("Cache-Control", answer.cache), ("Content-Security-Policy", answer.policy), ("ETag", tag)]
    headers.append(("Vary", "Accept-Encoding"))
    if answer.status.startswith("200") and tag in _tags(environ):
        start_response("304 Not Modified", headers)
        return []
    body = answer.body
    if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "") and len(body) >= _SHORTEST:
        body = answer.compressed or gzip.compress(body, 1, mtime=0)
        headers.append(("Content-Encoding", "gzip"))
    headers += [("Content-Type", answer.kind), ("Content-Length", str(len(body)))]
    start_response(answer.status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _tags(environ: WSGIEnvironment) -> list[str]:
    return [tag.strip() for tag in environ.get("HTTP_IF_NONE_MATCH", "").split(",")]
