"""The web server over real sockets of the loopback interface."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from dashboards.site.serving import Server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def hello(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"hello {environ['PATH_INFO']}".encode()]


@contextmanager
def serving(application: WSGIApplication, host: str = "127.0.0.1") -> Iterator[Server]:
    server = Server(host, 0, application)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def get(server: Server, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(server.server_name, server.server_port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_serves_quietly(host: str, capfd: pytest.CaptureFixture[str]) -> None:
    with serving(hello, host) as server:
        assert get(server, "/there") == (200, b"hello /there")
    assert capfd.readouterr() == ("", "")


def test_an_address_is_passed_on_as_it_was_sent() -> None:
    def tell(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{environ['REQUEST_URI']} {environ['PATH_INFO']}".encode()]

    with serving(tell) as server:
        assert get(server, "/a%2Fb/c?d=%20") == (200, b"/a%2Fb/c?d=%20 /a/b/c")


def test_a_slow_request_does_not_hold_up_another() -> None:
    waits, go_on = threading.Event(), threading.Event()

    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            waits.set()
            assert go_on.wait(10)
        return hello(environ, start_response)

    with serving(slow) as server:
        found: list[tuple[int, bytes]] = []
        thread = threading.Thread(target=lambda: found.append(get(server, "/slow")))
        thread.start()
        assert waits.wait(10)
        assert get(server, "/quick") == (200, b"hello /quick")
        assert not found
        go_on.set()
        thread.join()
    assert found == [(200, b"hello /slow")]


def test_clients_that_go_away_leave_no_trace(capfd: pytest.CaptureFixture[str]) -> None:
    done = threading.Event()

    def long(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            for _number in range(1000):
                yield b"x" * 100_000
        finally:
            done.set()

    with serving(long) as server:
        client = socket.create_connection((server.server_name, server.server_port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset, do not say goodbye
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        client.recv(10)
        client.close()
        assert done.wait(10)
    assert capfd.readouterr() == ("", "")
