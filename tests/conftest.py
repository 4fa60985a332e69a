"""What every room's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def petitnet_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for every test, so that none sees the user's studies."""
    home = tmp_path / "home"
    monkeypatch.setenv("PETITNET_HOME", str(home))
    for variable in ("OPTUNA_STORAGE", "PETITNET_CONFIG", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    return home
