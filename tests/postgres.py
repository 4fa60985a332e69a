"""A real Postgres server of the tests' own: started in seconds, in a directory under /tmp, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from sqlalchemy.engine import URL

StopMode = Literal["smart", "fast", "immediate"]

_PASSWORD = "p{w}@:/?#%s"  # every character that a URL, a format string or libpq could trip over
_SETTINGS = "fsync=off", "max_connections=200", "log_min_messages=fatal"


def programs() -> Path | None:
    """The directory of Postgres's programs on this machine, the newest version's; None where there is no server."""
    on_path = shutil.which("initdb")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[4]))
    files = [Path(on_path).resolve()] if on_path else found
    return files[-1].parent if files else None


def _user() -> str | None:
    """Whom to run the server as: Postgres refuses root."""
    if os.geteuid() != 0:
        return None
    known = {line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()}
    return "postgres" if "postgres" in known else "nobody"


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """One server with one superuser."""

    directory: Path
    programs: Path
    port: int
    user: str = "petitnet"
    password: str = _PASSWORD

    @classmethod
    def create(cls, programs: Path) -> Self:
        """Make its files; nothing is started."""
        directory = Path(tempfile.mkdtemp(prefix="petitnet-postgres-", dir="/tmp"))
        server = cls(directory, programs, free_port())
        secret = directory / "password"
        secret.write_text(server.password)
        if user := _user():
            for path in (directory, secret):
                shutil.chown(path, user)
        server._call("initdb", "-U", server.user, "-A", "scram-sha-256", f"--pwfile={secret}", "-N", "-E", "UTF8")
        return server

    def url(self, database: str = "postgres") -> URL:
        """Where it is reached."""
        return URL.create("postgresql+psycopg", self.user, self.password, "127.0.0.1", self.port, database)

    def start(self) -> None:
        options = [f"-p {self.port} -h 127.0.0.1 -k {self.directory}", *(f"-c {setting}" for setting in _SETTINGS)]
        self._call("pg_ctl", "start", "-w", "-s", "-l", str(self.directory / "log"), "-o", " ".join(options))

    def stop(self, mode: StopMode = "fast") -> None:
        self._call("pg_ctl", "stop", "-w", "-s", "-m", mode)

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.directory)

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, "-D", self.directory / "data", *arguments],
            user=_user(),
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )


@contextmanager
def server() -> Iterator[Server]:
    """A server that runs; the caller knows that the programs are there."""
    directory = programs()
    assert directory is not None, "no Postgres server on this machine"
    made = Server.create(directory)
    made.start()
    try:
        yield made
    finally:
        made.remove()
