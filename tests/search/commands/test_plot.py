from __future__ import annotations

import json
import random
import webbrowser
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from dashboards.pareto import thinning as pareto_thinning
from dashboards.views import catalogue
from search.commands.plot import plot_command
from search.errors import NotFoundError, SearchError, SettingsError
from search.ledger import Ledger, RungResult
from search.settings import StudySettings

WRITTEN = {"html": b"<!DOCTYPE html>", "png": b"\x89PNG", "svg": b"<svg", "json": b"{"}


def plot(database: str, *arguments: str | Path) -> Result:
    return CliRunner().invoke(plot_command, [*map(str, arguments), "--storage", database])


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty directory to work in."""
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def trained(ledger: Ledger, settings: StudySettings) -> Ledger:
    """A study with two candidates."""
    for accuracy in (0.9, 0.95):
        add_candidate(ledger, settings, accuracy)
    return ledger


def add_candidate(ledger: Ledger, settings: StudySettings, accuracy: float) -> None:
    choices = settings.space.random(random.Random(round(10_000 * accuracy)))
    number = ledger.begin(settings.space, choices, settings.budget)
    ledger.tell_complete(number, RungResult(16, accuracy, 1.0))


def add_study(beside: Ledger, name: str, settings: StudySettings) -> None:
    """With one candidate, in the same database."""
    add_candidate(Ledger.create(beside.store, name, settings), settings, 0.8)


@pytest.mark.parametrize("ending", WRITTEN)
@pytest.mark.parametrize("cost", ["parameters", "macs", "peak-bytes"])
def test_the_ending_says_what_is_written(trained: Ledger, database: str, here: Path, ending: str, cost: str) -> None:
    done = plot(database, "study", "-o", f"deep/front.{ending}", "--cost", cost)
    assert done.exit_code == 0
    assert done.stdout == ""
    assert done.stderr == f"wrote deep/front.{ending}\n"
    assert [path.name for path in (here / "deep").iterdir()] == [f"front.{ending}"]
    assert (here / "deep" / f"front.{ending}").read_bytes().startswith(WRITTEN[ending])


def test_without_a_file_the_page_is_named_after_the_study(trained: Ledger, database: str, here: Path) -> None:
    done = plot(database, "study")
    assert done.stderr == "wrote study-pareto.html\n"
    assert [path.name for path in here.iterdir()] == ["study-pareto.html"]


def test_text_and_json_go_to_stdout_and_to_no_file(trained: Ledger, database: str, here: Path) -> None:
    text, numbers = plot(database, "study", "--ascii"), plot(database, "study", "--json")
    assert "o  trained to the end" in text.stdout
    found = json.loads(numbers.stdout)
    assert [point["accuracy"] for point in found["points"]] == [0.9, 0.95]
    assert found["studies"] == [{"study": "study", "dataset": "digits", "budgets": [3000], "target": 0.9}]
    assert list(here.iterdir()) == []


def test_a_json_file_has_the_same_numbers(trained: Ledger, database: str, here: Path) -> None:
    plot(database, "study", "-o", "front.json")
    assert (here / "front.json").read_text() == plot(database, "study", "--json").stdout


def test_several_studies_share_a_picture_and_one_named_twice_is_drawn_once(trained: Ledger, database: str) -> None:
    add_study(trained, "team/other", StudySettings.make("digits", 5000, 0.9))
    found = json.loads(plot(database, "study", "team/other", "study", "--json").stdout)
    assert [study["study"] for study in found["studies"]] == ["study", "team/other"]
    assert plot(database, "study", "team/other").stderr == "wrote study-team-other-pareto.html\n"


def test_studies_of_different_data_are_not_compared(trained: Ledger, database: str) -> None:
    add_study(trained, "other", StudySettings.make("mnist", 10_000, 0.99))
    done = plot(database, "study", "other")
    assert isinstance(done.exception, SettingsError)
    assert str(done.exception) == "studies in one picture must be of one data set, but got digits, mnist"


@pytest.mark.parametrize("name", ["front.pdf", "front", "front.html.gz"])
def test_an_ending_that_is_not_known_is_refused(trained: Ledger, database: str, here: Path, name: str) -> None:
    done = plot(database, "study", "-o", name)
    assert isinstance(done.exception, SettingsError)
    assert str(done.exception) == f"the file must end in one of .html, .png, .svg, .json, but got {name}"
    assert list(here.iterdir()) == []


def test_a_study_that_is_not_there_is_not_found(trained: Ledger, database: str, here: Path) -> None:
    done = plot(database, "nothing")
    assert isinstance(done.exception, NotFoundError)
    assert str(done.exception) == "no study is called nothing (there are: study)"
    assert list(here.iterdir()) == []


def test_a_study_in_which_nothing_is_trained_has_no_picture(ledger: Ledger, database: str, here: Path) -> None:
    done = plot(database, "study", "-o", "front.svg")
    assert isinstance(done.exception, NotFoundError)
    assert "study study has no trained candidate yet" in str(done.exception)
    assert list(here.iterdir()) == []


def test_text_and_json_at_once_are_refused(trained: Ledger, database: str) -> None:
    assert isinstance(plot(database, "study", "--ascii", "--json").exception, SettingsError)


def test_every_view_there_is_can_be_asked_for_and_is_explained() -> None:
    (option,) = [one for one in plot_command.params if one.name == "name"]
    assert isinstance(option.type, click.Choice)
    assert set(option.type.choices) == {"pareto", *catalogue.NAMES}
    told = CliRunner().invoke(plot_command, ["--help"]).stdout.splitlines()
    for name in option.type.choices:
        assert any(line.split()[:1] == [name] and len(line.split()) > 2 for line in told)


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_a_view_is_drawn_in_a_page_named_after_it(trained: Ledger, database: str, here: Path, name: str) -> None:
    assert plot(database, "study", "--view", name).stderr == f"wrote study-{name}.html\n"
    assert (here / f"study-{name}.html").read_bytes().startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("ending", WRITTEN)
def test_a_view_has_every_ending(trained: Ledger, database: str, here: Path, ending: str) -> None:
    assert plot(database, "study", "--view", "history", "-o", f"view.{ending}").exit_code == 0
    assert (here / f"view.{ending}").read_bytes().startswith(WRITTEN[ending])


def test_the_numbers_of_a_view_are_those_of_the_study(trained: Ledger, database: str, here: Path) -> None:
    done = plot(database, "study", "--view", "curves", "--json", "-o", "curves.json")
    found = json.loads(done.stdout)
    best = next(series for series in found["series"] if series["name"].startswith("best"))
    assert (best["x"], best["y"]) == ([16], [pytest.approx(0.05)])
    assert (here / "curves.json").read_text() == done.stdout


def test_a_view_of_a_study_in_which_nothing_is_trained_says_so(ledger: Ledger, database: str, here: Path) -> None:
    assert plot(database, "study", "--view", "history", "-o", "view.svg").exit_code == 0
    assert "Nothing to draw yet" in (here / "view.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["study", "other", "--view", "pruned"], "--view pruned draws one study, but got 2"),
        (["study", "--view", "pruned", "--cost", "macs"], "--cost is for --view pareto, but got --view pruned"),
        (["study", "--view", "pruned", "--ascii"], "--ascii is for --view pareto, but got --view pruned"),
    ],
)
def test_what_only_the_front_can_do_is_refused_for_views(
    trained: Ledger, database: str, here: Path, arguments: list[str], rule: str
) -> None:
    done = plot(database, *arguments)
    assert isinstance(done.exception, SettingsError)
    assert str(done.exception) == rule
    assert list(here.iterdir()) == []


def test_all_that_does_not_go_together_is_said_at_once(trained: Ledger, database: str) -> None:
    done = plot(database, "study", "--view", "epochs", "--ascii", "--json", "--cost", "macs")
    assert str(done.exception).count("; ") == 2


def test_a_study_named_twice_is_one_study(trained: Ledger, database: str) -> None:
    assert plot(database, "study", "study", "--view", "pruned").stderr == "wrote study-pruned.html\n"


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(trained: Ledger, database: str, here: Path) -> None:
    (here / "front.svg").mkdir()
    assert plot(database, "study", "-o", "front.svg").exit_code == 2
    (here / "blocked").write_text("a file")
    done = plot(database, "study", "-o", "blocked/front.svg")
    assert isinstance(done.exception, SearchError)
    assert sorted(path.name for path in here.iterdir()) == ["blocked", "front.svg"]


def test_open_shows_the_file_that_was_written(
    trained: Ledger, database: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_it(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", open_it)
    assert plot(database, "study", "--open", "--ascii").exit_code == 0
    assert opened == [(here / "study-pareto.html").as_uri()]


def test_without_a_browser_the_file_is_named(
    trained: Ledger, database: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    done = plot(database, "study", "--open")
    assert isinstance(done.exception, SearchError)
    assert str(done.exception) == "no browser could be opened; open study-pareto.html yourself"
    assert (here / "study-pareto.html").exists()


def test_a_picture_of_very_many_is_thinned_and_its_numbers_are_not(
    ledger: Ledger, settings: StudySettings, database: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(30):
        add_candidate(ledger, settings, 0.9 + place / 10_000)
    monkeypatch.setattr(pareto_thinning, "MOST", 5)
    numbers = plot(database, "study", "-o", "front.svg", "--json").stdout
    assert "of 30 results" in (here / "front.svg").read_text()
    assert len(json.loads(numbers)["points"]) == 30
    assert "of 30 results" not in numbers


def test_width_and_ground_are_those_asked_for(trained: Ledger, database: str, here: Path) -> None:
    plot(database, "study", "-o", "front.svg", "--width", "390", "--dark")
    made = (here / "front.svg").read_text()
    assert 'width="390"' in made
    assert 'fill="#16181C"' in made
