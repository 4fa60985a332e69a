"""Whether somebody listens at a Ray cluster's address: Ray itself would try for minutes."""

from __future__ import annotations

import socket

from search.errors import ClusterError, SettingsError

_LONGEST = 5.0
"""Seconds for a port to open."""


def knock(address: str) -> None:
    """ClusterError unless a port is open at `address`, HOST:PORT; `auto` is left to Ray."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise SettingsError(f"address must be HOST:PORT or auto, but got {address}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_LONGEST).close()
    except OSError as error:
        raise ClusterError(f"Ray cluster {address} cannot be reached: {error.strerror or error}") from error
