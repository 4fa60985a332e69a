"""What Ray and Tune read from the environment when they are imported; nothing here imports them."""

from __future__ import annotations

import os
import secrets

_QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_TRAIN_V2_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # a failed training reports its reason and no accuracy
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
    "TUNE_MAX_PENDING_TRIALS_PG": "1024",  # workers that wait for their resources, all of them at once
}
_ALONE = {
    "RAY_AUTH_MODE": "token",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # everywhere, not only there: Ray then listens on the loopback alone
}


def prepare(address: str | None) -> None:
    """Set what a run needs, before anything imports ray; a Ray of our own (no `address`) is closed to others."""
    os.environ |= _QUIET
    if address is None:
        os.environ |= _ALONE
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
