"""What people may remark on a trial in Optuna's dashboard: anything but what petitnet itself has written there."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from search.records import OWN_ATTRIBUTES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def keeping_ours(application: WSGIApplication) -> WSGIApplication:
    """The application without requests that would write our own attributes; those get 403.

    Requests must have a Content-Length, as the dashboard's guard sees to.
    """

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and environ.get("PATH_INFO", "").endswith("/user-attrs"):
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = io.BytesIO(body)
            ours = sorted(OWN_ATTRIBUTES & _names(body))
            if ours:
                start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
                return [f"attributes that petitnet writes must stay as they are, but got {', '.join(ours)}\n".encode()]
        return application(environ, start_response)

    return served


def _names(body: bytes) -> set[str]:
    """Of the attributes in a request; none in one that Optuna's dashboard will not take."""
    try:
        found = json.loads(body)["user_attrs"]
    except (ValueError, KeyError, TypeError):
        return set()
    return set(found) if isinstance(found, dict) else set()
