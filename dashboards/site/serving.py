"""A small threaded web server, quiet and ended by a signal; meant for a few people at a time."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_IDLE = 30.0
"""Seconds that a client may take to send its request, or to take in the next piece of the answer."""
_GLANCE = 0.1
"""Seconds between two looks at whether to end."""


class Server(ThreadingMixIn, WSGIServer):
    """Serves one application; each request in a thread that does not outlive the process."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, application: WSGIApplication) -> None:
        """Listen; OSError where that cannot be. Port 0 takes a free one, found in `server_port`."""
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
        self.set_app(application)

    def server_bind(self) -> None:
        """As inherited, without asking for the name of this machine, which may take long."""
        TCPServer.server_bind(self)
        name, port = self.server_address[:2]
        self.server_name, self.server_port = str(name), int(port)
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients come and go; everything else is shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def serve_until_signal(self) -> None:
        """Serve until SIGINT or SIGTERM."""

        def end(_number: int, _frame: object) -> None:
            threading.Thread(target=self.shutdown, daemon=True).start()

        before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self.serve_forever(_GLANCE)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self.server_close()


class _Handler(WSGIRequestHandler):
    timeout = _IDLE

    def get_environ(self) -> WSGIEnvironment:
        """As inherited, with REQUEST_URI: the address as it was sent, in which a quoted slash is not yet one."""
        return super().get_environ() | {"REQUEST_URI": self.path}

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: who looks at what is nobody's business."""
