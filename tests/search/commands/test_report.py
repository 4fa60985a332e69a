from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dashboards.ink import drawing
from search.commands.report import report_command
from search.errors import NotFoundError, SearchError, SettingsError
from search.ledger import Ledger, RungResult
from search.proposer import PUBLISHED
from search.reporting import report
from search.settings import StudySettings
from space.candidate import Confirmation, PrunedFrom
from space.filling import shrink
from space.fitting import largest
from space.notation import read

ALWAYS = {"index.html", "report.md", "study.json"}
PNG = drawing.png


@pytest.fixture(autouse=True)
def plain_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing pixels takes longer than all the rest."""
    monkeypatch.setattr(drawing, "png", lambda sheet: b"\x89PNG")


def write(database: str, *arguments: str | Path) -> Result:
    return CliRunner().invoke(report_command, [*map(str, arguments), "--storage", database])


def names(directory: Path) -> set[str]:
    return {file.name for file in directory.iterdir()}


def add_candidate(ledger: Ledger, settings: StudySettings, accuracy: float, origin: str = "sampler") -> int:
    choices = settings.space.random(random.Random(round(1000 * accuracy)))
    number = ledger.begin(settings.space, choices, settings.budget, origin)
    ledger.tell_complete(number, RungResult(16, accuracy, 1.0, (2.0, 1.0)))
    return number


def verify(ledger: Ledger, number: int, times: int) -> None:
    for place in range(times):
        ledger.verifications.add(number, place, seed=place, epochs=16, seconds=2.0, weights=b"weights")
        ledger.verifications.record_test(number, 16, place, ((49, 1), (0, 50)))


@pytest.fixture
def trained(ledger: Ledger, settings: StudySettings) -> Ledger:
    """A study with two candidates, of which the second has won."""
    for accuracy in (0.85, 0.95):
        add_candidate(ledger, settings, accuracy)
    for place in range(3):
        ledger.reruns.record_confirmation(
            1, place, Confirmation(fold=place + 1, seed=place, accuracy=0.93, seconds=1.0)
        )
    ledger.record_winner(1)
    return ledger


def test_a_report_is_a_directory_whose_page_is_printed(trained: Ledger, database: str, tmp_path: Path) -> None:
    done = write(database, "study", "-o", tmp_path / "deep" / "out")
    assert done.exit_code == 0
    assert done.stdout == f"{tmp_path / 'deep' / 'out' / 'index.html'}\n"
    made = names(tmp_path / "deep" / "out")
    assert made > ALWAYS | {"pareto.html", "pareto.svg", "pareto.png", "layers.svg", "layers.png", "history.png"}
    assert names(tmp_path / "deep") == {"out"}


def test_every_file_is_what_its_name_says(
    trained: Ledger, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "png", PNG)
    write(database, "study", "-o", tmp_path / "out")
    begins = {".html": b"<!DOCTYPE html>", ".md": b"# ", ".json": b"{", ".svg": b"<svg", ".png": b"\x89PNG"}
    for file in (tmp_path / "out").iterdir():
        assert file.read_bytes().startswith(begins[file.suffix])


def test_every_picture_of_the_markdown_is_beside_it(trained: Ledger, database: str, tmp_path: Path) -> None:
    write(database, "study", "-o", tmp_path / "out")
    text = (tmp_path / "out" / "report.md").read_text()
    pictures = {file.name for file in (tmp_path / "out").glob("*.png")}
    assert pictures
    assert all(f"]({picture})" in text for picture in pictures)


def test_json_is_the_list_of_files(trained: Ledger, database: str, tmp_path: Path) -> None:
    done = write(database, "study", "-o", tmp_path / "out", "--json")
    found = [Path(file) for file in json.loads(done.stdout)]
    assert {file.name for file in found} == names(tmp_path / "out")
    assert all(file.parent == tmp_path / "out" for file in found)


def test_the_title_is_the_users(trained: Ledger, database: str, tmp_path: Path) -> None:
    write(database, "study", "-o", tmp_path / "out", "--title", "Digits & more")
    assert "<h1>Digits &amp; more</h1>" in (tmp_path / "out" / "index.html").read_text()
    assert (tmp_path / "out" / "report.md").read_text().startswith("# Digits &amp; more\n")


def test_the_numbers_are_those_of_the_study(trained: Ledger, database: str, tmp_path: Path) -> None:
    write(database, "study", "-o", tmp_path / "out")
    found = json.loads((tmp_path / "out" / "study.json").read_text())
    assert found["winner"]["number"] == 1
    assert found["settings"] == trained.settings
    assert [row["accuracy"] for row in found["candidates"]] == [0.85, 0.95]
    assert found["settings_changed_since"] == []


def test_nothing_tells_where_the_study_is_kept(trained: Ledger, database: str, tmp_path: Path) -> None:
    write(database, "study", "-o", tmp_path / "out")
    for file in (tmp_path / "out").iterdir():
        assert str(tmp_path).encode() not in file.read_bytes()
        assert b"sqlite" not in file.read_bytes().split(b"plotly.js")[0]


def test_an_empty_study_has_a_report_too(ledger: Ledger, database: str, tmp_path: Path) -> None:
    done = write(database, "study", "-o", tmp_path / "out")
    assert done.exit_code == 0
    assert names(tmp_path / "out") == ALWAYS


def test_so_has_one_in_which_everything_is_over_budget(
    ledger: Ledger, settings: StudySettings, database: str, tmp_path: Path
) -> None:
    for seed in range(3):
        ledger.reject(settings.space, settings.space.random(random.Random(seed)), 100)
    assert write(database, "study", "-o", tmp_path / "out").exit_code == 0
    assert ALWAYS | {"pruned.png"} <= names(tmp_path / "out")


def test_a_report_on_a_running_search_says_so(
    ledger: Ledger, settings: StudySettings, database: str, tmp_path: Path
) -> None:
    ledger.begin(settings.space, settings.space.random(random.Random(1)), settings.budget)
    Ledger.create(ledger.store, "quiet", settings)
    for study in ("study", "quiet"):
        assert write(database, study, "-o", tmp_path / study).exit_code == 0
    assert "one run was at work on it" in (tmp_path / "study" / "index.html").read_text()
    assert "at work" not in (tmp_path / "quiet" / "index.html").read_text()


def test_an_earlier_report_is_replaced_only_with_force_and_whole(
    trained: Ledger, database: str, settings: StudySettings, tmp_path: Path
) -> None:
    write(database, "study", "-o", tmp_path / "out")
    refused = write(database, "study", "-o", tmp_path / "out")
    assert isinstance(refused.exception, SettingsError)
    assert "has a report; --force replaces it" in str(refused.exception)
    Ledger.create(trained.store, "other", settings)
    assert write(database, "other", "-o", tmp_path / "out", "--force").exit_code == 0
    assert names(tmp_path / "out") == ALWAYS
    assert "other" in (tmp_path / "out" / "index.html").read_text()


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_directory_with_anything_else_in_it_is_left_alone(
    trained: Ledger, database: str, tmp_path: Path, force: list[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    (tmp_path / "out" / "index.html").write_text("mine too")
    done = write(database, "study", "-o", tmp_path / "out", *force)
    assert isinstance(done.exception, SettingsError)
    assert "must hold nothing but an earlier report, but has thesis.tex" in str(done.exception)
    assert (tmp_path / "out" / "index.html").read_text() == "mine too"


def test_a_file_in_the_way_is_refused(trained: Ledger, database: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    assert isinstance(write(database, "study", "-o", tmp_path / "out").exception, SettingsError)


def test_a_study_that_is_not_there_leaves_nothing_behind(trained: Ledger, database: str, tmp_path: Path) -> None:
    done = write(database, "nothing", "-o", tmp_path / "out")
    assert isinstance(done.exception, NotFoundError)
    assert not (tmp_path / "out").exists()


def test_a_report_that_fails_leaves_the_earlier_one(
    trained: Ledger, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(database, "study", "-o", tmp_path / "out")
    before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}

    def fail(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(drawing, "png", fail)
    done = write(database, "study", "-o", tmp_path / "out", "--force")
    assert isinstance(done.exception, SearchError)
    assert "No space left" in str(done.exception)
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before


def test_the_commands_name_what_is_not_at_its_default(trained: Ledger) -> None:
    assert report(trained).commands == (
        "search run --dataset digits --budget 3000 --target 0.9 --rungs 1,4,16 --study-name study",
        "search verify study",
    )


def test_several_budgets_and_shrinking_are_repeated(ledger: Ledger) -> None:
    settings = StudySettings.make("digits", (1000, 3000), 0.9)
    several = Ledger.create(ledger.store, settings.name, settings)
    for size in (3000, 1000):
        choices = shrink(settings.space, largest(settings.space), size)
        several.record_winner(several.begin(settings.space, choices, settings.budget))
    assert report(several).commands[0] == "search run --dataset digits --budget 1000,3000 --target 0.9"
    choices = shrink(settings.space, largest(settings.space), 500)
    several.record_winner(several.begin(settings.space, choices, settings.budget))
    assert report(several).commands[0].endswith("--shrink")


def test_a_study_of_the_usual_name_on_the_usual_data_is_repeated_in_few_words(ledger: Ledger) -> None:
    settings = StudySettings.make("mnist", 10_000, 0.994, seed=7)
    usual = Ledger.create(ledger.store, settings.name, settings)
    add_candidate(usual, settings, 0.9, PUBLISHED + "article-1")
    assert report(usual).commands[0] == "search run --budget 10000 --target 0.994 --seed 7"


def test_a_study_that_asked_no_published_network_first_began_cold(ledger: Ledger) -> None:
    settings = StudySettings.make("mnist", 10_000, 0.994)
    cold = Ledger.create(ledger.store, settings.name, settings)
    add_candidate(cold, settings, 0.9)
    assert report(cold).commands[0].endswith("--cold-start")


def test_names_are_quoted_for_the_shell(trained: Ledger, settings: StudySettings) -> None:
    odd = Ledger.create(trained.store, "-it's; rm *", settings)
    run, verified = report(odd).commands
    assert run.endswith("""--study-name '-it'"'"'s; rm *'""")
    assert verified == """search verify -- '-it'"'"'s; rm *'"""


def test_verifications_and_prunings_are_repeated_as_they_were(trained: Ledger) -> None:
    verify(trained, 1, 5)
    verify(trained, 0, 2)
    for place in (1, 2):
        pruning = PrunedFrom(parent=1, what="filters", keep=0.5, rounds=2, round=place)
        trained.add_pruned(read("1x8x8-4c3nr-10c1-G"), 100, pruning, RungResult(16, 0.9, 1.0))
    assert report(trained).commands[1:] == (
        "search verify --seeds 2 study/0",
        "search verify study",
        "search prune --keep 0.5 --rounds 2 --filters study/1",
    )


def test_the_best_of_a_study_without_a_winner_is_verified_by_its_number(
    ledger: Ledger, settings: StudySettings
) -> None:
    add_candidate(ledger, settings, 0.8)
    assert report(ledger).verifying == "search verify study/0"


def test_settings_of_another_version_are_told(
    trained: Ledger, settings: StudySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = settings.to_json() | {"reduction": 3}
    monkeypatch.setattr(Ledger, "settings", older)
    assert report(trained).changed == ["reduction: the study has 3, asked for 4"]
