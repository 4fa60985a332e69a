from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from search.commands import published as command
from search.commands.published import published_command
from search.errors import NotFoundError, SettingsError
from search.published.training import Ended, Request
from workers.published_recipes import NETWORKS


def published(*arguments: str) -> Result:
    return CliRunner().invoke(published_command, arguments, standalone_mode=False)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The requests that would have been carried out."""
    requests: list[Request] = []

    def train(request: Request, tell: Any) -> Ended:
        requests.append(request)
        return Ended(failed=0, interrupted=False)

    monkeypatch.setattr(command, "train", train)
    return requests


def names(request: Request) -> list[str]:
    return [network.name for network in request.networks]


def test_all_published_networks_are_listed_with_what_they_cost() -> None:
    listed = json.loads(published("--json").stdout)
    by_name = {row["network"]: row for row in listed}

    assert [row["network"] for row in listed] == [network.name for network in NETWORKS]
    assert by_name["article-2"]["parameters"] == by_name["article-2"]["unpruned_parameters"] == 5_382
    assert by_name["article-pruned"]["parameters"] == 2_471
    assert by_name["eip-1"]["published_accuracy"] == 0.9922
    assert all(row["macs"] > 0 and row["peak_activation_bytes"] > 0 for row in listed)


def test_the_list_is_for_people() -> None:
    shown = published().stdout

    for network in NETWORKS:
        assert network.line in shown
    assert "591,786" in shown
    assert "99.47 %" in shown
    assert "2,911 weights held at zero" in shown


def test_named_networks_are_trained_under_both_recipes(asked: list[Request], tmp_path: Path) -> None:
    done = published("train", "eip-1", "article-2", "-o", str(tmp_path), "--workers", "2")

    assert done.return_value == 0
    assert names(asked[0]) == ["article-2", "eip-1"]
    assert (list(asked[0].recipes), asked[0].seeds, asked[0].epochs, asked[0].workers) == (
        ["published", "ours"],
        5,
        16,
        2,
    )
    assert asked[0].command == "search published train eip-1 article-2 --seeds 5 --recipe both --epochs 16"


def test_all_are_those_within_the_bound(asked: list[Request], tmp_path: Path) -> None:
    published("train", "--all", "-o", str(tmp_path))
    published("train", "--all", "--at-most", "3100", "--recipe", "ours", "-o", str(tmp_path))

    assert set(names(asked[0])) == {network.name for network in NETWORKS} - {"reduce-baseline", "eip-1"}
    assert names(asked[1]) == ["article-3", "article-pruned"]
    assert list(asked[1].recipes) == ["ours"]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ("train", SettingsError, "name the networks to train or give --all, but got neither"),
        ("train article-2 --all", SettingsError, "but got both"),
        ("train article-9", NotFoundError, "no published network is called article-9 (there are: reduce-baseline, "),
        ("train --all --at-most 12", SettingsError, "--at-most must be at least 2,471 parameters, but got 12"),
    ],
)
def test_bad_input_is_one_clear_line(asked: list[Request], arguments: str, error: type[Exception], said: str) -> None:
    refused = published(*arguments.split())

    assert isinstance(refused.exception, error)
    assert said in str(refused.exception)
    assert "\n" not in str(refused.exception)
    assert asked == []


def test_a_directory_that_cannot_be_is_refused(asked: list[Request], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = published("train", "article-2", "-o", str(tmp_path / "file" / "results"))

    assert isinstance(refused.exception, SettingsError)
    assert asked == []


def test_the_table_has_the_networks_that_were_asked_for(asked: list[Request], tmp_path: Path) -> None:
    arguments = ("train", "article-2", "article-3", "-o", str(tmp_path))
    shown = published(*arguments)
    rows = json.loads(published(*arguments, "--json").stdout)

    assert [row["network"] for row in rows] == ["article-2", "article-3"]
    assert all(row["published"] is None and row["ours"] is None for row in rows)
    assert shown.stdout.count("not run") == 4
    assert "eip-1" not in shown.stdout


@pytest.mark.parametrize(
    ("ended", "code", "said"),
    [
        (Ended(failed=0, interrupted=True), 130, "interrupted; to go on: search published train article-2 --seeds 2"),
        (Ended(failed=3, interrupted=False), 1, "3 of the trainings failed"),
        (Ended(failed=1, interrupted=True), 130, "1 of the trainings failed"),
    ],
)
def test_how_it_ended_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ended: Ended, code: int, said: str
) -> None:
    monkeypatch.setattr(command, "train", lambda request, tell: ended)
    done = published("train", "article-2", "--seeds", "2", "-o", str(tmp_path / "my results"))

    assert done.return_value == code
    assert said in done.stderr
    assert (f"--output '{tmp_path / 'my results'}'" in done.stderr) == ended.interrupted


def test_to_list_nothing_heavy_is_imported() -> None:
    script = (
        "import sys\n"
        "from search.commands.published import published_command\n"
        "published_command.main([], standalone_mode=False)\n"
        "heavy = [name for name in ('torch', 'ray', 'pandas', 'scipy') if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
