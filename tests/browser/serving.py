"""The dashboard served by this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import URL

from dashboards.site.guard import Guard
from dashboards.site.serving import Server
from search import storage
from search.commands.dashboard import only_read, pages


@contextmanager
def serving(url: URL, port: int = 0, **guarded: Any) -> Iterator[str]:
    """The dashboard of a database that is there, as `search dashboard` serves it; where it is."""
    store = storage.open_existing(url)
    assert store is not None
    only_read(store)
    server = Server("127.0.0.1", port, Guard(pages(store), **guarded))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        store.close()
