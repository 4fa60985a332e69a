"""A `search` command line sent to a Ray cluster as one of its jobs, and followed from here."""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import click
from click.core import ParameterSource
from sqlalchemy.engine import make_url

from search import ray_environment
from search.errors import INTERRUPTED, ClusterError, SearchError, SettingsError
from search.settings import StudySettings
from search.storage import PASSWORD_FILE

_REACH = 10.0
"""Seconds within which a cluster must answer at first."""
PATIENCE = 60.0
"""Seconds that a cluster may be out of reach while a job is followed."""
_PAUSE = 1.0
"""Seconds between two attempts."""


def dashboard_address(address: str) -> str:
    """The address of a cluster's dashboard, with its scheme; SettingsError for anything else."""
    url = address if "://" in address else f"http://{address}"
    if not url.startswith(("http://", "https://")) or "@" in url:
        shown = address.rpartition("@")[2]
        raise SettingsError(f"a cluster's dashboard must be named as http://HOST:PORT, but got {shown}")
    return url.rstrip("/")


def check(arguments: Sequence[str]) -> str | None:
    """The study that a `search` command line is about, where it is named.

    SettingsError or click's UsageError unless it is `run` or `resume` with options that these take and that a cluster
    can use. What the environment and files of this machine say does not count.
    """
    from search.commands.run import resume_command, run_command

    commands = {"run": run_command, "resume": resume_command}
    name = arguments[0] if arguments else "nothing"
    if name not in commands:
        raise SettingsError(f"search submit sends run or resume with their options, but got {name}")
    command = _without_environment(commands[name])
    given = list(arguments[1:])
    here = click.get_current_context(silent=True)
    with command.make_context(name, list(given), parent=here and here.find_root()) as context:
        if context.get_parameter_source("address") is ParameterSource.COMMANDLINE:
            raise SettingsError("what is submitted runs on the cluster that it is sent to, but got another --address")
        _check_storage(command.make_parser(context).parse_args(given)[0].get("url"))
        values = context.params
    if name == "resume":
        return str(values["study"])
    StudySettings.make(values["dataset"], values["budget"], values["target"])
    study: str | None = values["study_name"]
    return study


def _without_environment(command: click.Command) -> click.Command:
    twin = copy.copy(command)
    twin.params = [copy.copy(parameter) for parameter in command.params]
    for parameter in twin.params:
        parameter.envvar = None
    return twin


def _check_storage(url: str | None) -> None:
    """SettingsError for a database URL that holds a password: everybody on the cluster can read what a job runs."""
    if url is None:
        return
    parsed = make_url(url)
    if parsed.password is not None or any("password" in name for name in parsed.query):
        raise SettingsError(
            "a --storage that is submitted must have no password in it, but it has one; name a file with the password "
            f"in {PASSWORD_FILE} on the cluster"
        )


class Cluster:
    """A Ray cluster, by way of its dashboard."""

    def __init__(self, address: str, client: Any) -> None:
        """`client` is Ray's JobSubmissionClient for `address`."""
        self.address = address
        self._client = client

    @classmethod
    def connect(cls, address: str) -> Self:
        """ClusterError where it cannot be reached or does not let us in; SearchError where a package is missing."""
        ray_environment.prepare(address)
        for variable in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):  # Ray would take them for `address`
            os.environ.pop(variable, None)
        try:
            import aiohttp  # noqa: F401  # without it Ray's client fails later, in other words
            import requests
            from ray.job_submission import JobSubmissionClient
        except ImportError as error:
            raise SearchError(f"search submit needs petitnet[cluster]: {error}") from error
        logging.getLogger("ray.dashboard.modules.job.sdk").setLevel(logging.WARNING)
        try:
            requests.get(f"{address}/api/version", timeout=_REACH)
        except requests.RequestException as error:
            raise ClusterError(f"Ray cluster {address} cannot be reached: nobody answers there") from error
        with _translated(address):
            return cls(address, JobSubmissionClient(address))

    def submit(self, arguments: Sequence[str]) -> str:
        """Start `search` with these arguments on the cluster's head; gives back the job's id."""
        with _translated(self.address):
            return str(self._client.submit_job(entrypoint=shlex.join(["search", *arguments])))

    def follow(self, job: str, write: Callable[[str], None]) -> int:
        """Hand what the job prints to `write` until it has ended; its exit code.

        ClusterError once the cluster has been out of reach for too long, SearchError if the job could not be started.
        """
        with _translated(self.address):
            asyncio.run(self._follow(job, write))
            return self._exit_code(job)

    async def _follow(self, job: str, write: Callable[[str], None]) -> None:
        """Write the log to its end; after a lost connection Ray begins again at its first line."""
        from aiohttp import ClientError

        written = 0
        answered = time.monotonic()
        while True:
            seen = 0
            try:
                async for piece in self._client.tail_job_logs(job):
                    _end_if_cancelled()
                    write(piece[max(0, written - seen) :])
                    seen += len(piece)
                    written = max(written, seen)
                    answered = time.monotonic()
                if self._client.get_job_status(job).is_terminal():
                    return
            except BrokenPipeError:  # nobody reads what we write
                raise
            except (ClientError, OSError, RuntimeError):
                if time.monotonic() - answered > PATIENCE:
                    raise
            _end_if_cancelled()
            await asyncio.sleep(_PAUSE)

    def _exit_code(self, job: str) -> int:
        info = self._client.get_job_info(job)
        if info.status == "SUCCEEDED":
            return 0
        if info.status == "STOPPED":
            return INTERRUPTED
        code: int | None = info.driver_exit_code
        if code is None:
            raise SearchError(f"job {job} failed: {_first_line(info.message)}")
        return code if code >= 0 else 128 - code


def _end_if_cancelled() -> None:
    """Ctrl-C cancels our task; what we wait in may turn that into an error of its own, which we would try again."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@contextmanager
def _translated(address: str) -> Iterator[None]:
    """What Ray and what it uses raise, as ClusterError."""
    from aiohttp import ClientError
    from ray.exceptions import RayError

    try:
        yield
    except (ClientError, OSError, RuntimeError, ValueError, RayError) as error:
        raise ClusterError(f"Ray cluster {address} cannot be used: {_first_line(error)}") from error


def _first_line(error: object) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
