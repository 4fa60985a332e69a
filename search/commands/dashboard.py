"""`search dashboard`: our pages and Optuna's dashboard, guarded so that they show and change nothing."""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import event
from sqlalchemy.engine import URL

from dashboards.site.guard import Guard, is_loopback
from search import options
from search.errors import SearchError, SettingsError
from search.storage import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from dashboards.site.serving import Server

_EVERYWHERE = ("0.0.0.0", "::")
_SHORTEST = 16
"""Characters of a token."""


@click.command("dashboard")
@click.option("--host", default="127.0.0.1", help="Where to listen; anything but this machine itself needs a token.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, help="0 takes a free one.")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="Another name that browsers may use for it.")
@click.option(
    "--token-file",
    envvar="PETITNET_DASHBOARD_TOKEN_FILE",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File with a token that is asked of everybody.  [default: PETITNET_DASHBOARD_TOKEN_FILE]",
)
@click.option("--allow-writes", is_flag=True, help="Let those who know the token write notes; nothing else.")
@click.option("--open", "wants_open", is_flag=True, help="Open it in a browser.")
@options.with_storage
def dashboard_command(
    host: str,
    port: int,
    hosts: tuple[str, ...],
    token_file: Path | None,
    allow_writes: bool,
    wants_open: bool,
    url: URL,
) -> int:
    """Show all studies in a browser, until interrupted: live pages of ours, and Optuna's dashboard beside them.

    Nothing can be changed from there, but notes with --allow-writes.
    """
    token = _token(token_file)
    if token is None and not is_loopback(host):
        raise SettingsError(
            f"a dashboard that others can reach needs a token, but got --host {host} without --token-file"
        )
    if token is None and allow_writes:
        raise SettingsError("a dashboard that can be written to needs a token, but got --allow-writes without one")
    names = hosts if host in _EVERYWHERE else (*hosts, host)
    with options.reading(url) as store:
        if not allow_writes:
            only_read(store)
        guard = Guard(pages(store), hosts=names, token=token, allow_writes=allow_writes)
        server = _listen(host, port, guard)
        name = "127.0.0.1" if host in _EVERYWHERE else f"[{host}]" if ":" in host else host
        shown = f"http://{name}:{server.server_port}/"
        how = f"; open it with ?token= and what is in {token_file}" if token else ""
        click.echo(f"dashboard: {shown}{how} (Ctrl-C ends it)", err=True)
        if wants_open:
            _open(f"{shown}?token={guard.invite()}" if token else shown)
        server.serve_until_signal()
    return 0


def _open(address: str) -> None:
    """In a thread: a browser in a terminal lasts as long as it is used."""

    def begin() -> None:
        if not webbrowser.open(address):
            click.echo("no browser could be opened; open the address yourself", err=True)

    threading.Thread(target=begin, daemon=True).start()


def _token(file: Path | None) -> str | None:
    """The token in a file; SettingsError for one that cannot be used."""
    if file is None:
        return None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise SettingsError(f"the dashboard's token file must be readable, but {file}: {reason}") from error
    if len(token) < _SHORTEST or not (token.isascii() and token.isprintable()):
        raise SettingsError(f"a token must have at least {_SHORTEST} printable ASCII characters, but not so in {file}")
    return token


def only_read(store: Store) -> None:
    """From now on the database refuses to be written to by this process, whatever a program asks of it."""

    def refuse(connection: Any, _record: Any) -> None:
        if store.url.drivername == "sqlite":
            connection.execute("PRAGMA query_only=ON")
        else:
            connection.read_only = True

    event.listen(store.engine, "connect", refuse)
    store.engine.dispose()


def pages(store: Store) -> WSGIApplication:
    """Ours, and Optuna's."""
    from dashboards.site.application import Site
    from search.board import Board

    return Site(Board(store), _optuna_dashboard(store))


def _optuna_dashboard(store: Store) -> WSGIApplication:
    try:
        from optuna_dashboard import wsgi
    except ImportError as error:
        raise SearchError(f"search dashboard needs petitnet[dashboard]: {error}") from error
    from search.artifacts import DatabaseArtifacts
    from search.remarks import keeping_ours

    application: WSGIApplication = wsgi(store.optuna, artifact_store=DatabaseArtifacts(store))

    def served(environ: dict[str, Any], start_response: Any) -> Any:
        environ.setdefault("HTTP_ACCEPT_ENCODING", "")  # optuna-dashboard 0.21 fails on requests without one
        return application(environ, start_response)

    return keeping_ours(served)


def _listen(host: str, port: int, application: WSGIApplication) -> Server:
    from dashboards.site.serving import Server

    try:
        return Server(host, port, application)
    except OSError as error:
        raise SearchError(f"the dashboard cannot listen on {host} port {port}: {error.strerror}") from error
