from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from search.errors import SearchError, SettingsError
from search.published.results import RecipeName, TrainingResult, read_all, row_json, rows, write
from search.published.table import NOT_RUN, markdown
from space.published import BY_NAME
from workers.published_recipes import NETWORKS, RECIPES

PLAIN = TrainingResult(
    network="article-2",
    recipe_name="published",
    seed=0,
    random_seed=123,
    line=BY_NAME["article-2"].line,
    parameters=5_382,
    recipe={"optimiser": "adam", "learning_rate": 0.01, "schedule": {"patience": 4}},
    pruning=None,
    fold=0,
    epochs=(31,),
    validation_accuracy=0.9911,
    confusion=((98, 2), (1, 99)),
    seconds=12.5,
    conditions={"machine": "2 cores", "torch": "2.14.1"},
    data_sha256="ab" * 32,
    command="search published train article-2",
    date="2026-11-21",
)


def result_of(seed: int, right: int, recipe: RecipeName = "published", network: str = "article-2") -> TrainingResult:
    """A result with `right` of 1,000 test images right."""
    confusion = ((right, 1_000 - right), (0, 0))
    return replace(PLAIN, network=network, recipe_name=recipe, seed=seed, confusion=confusion)


def test_the_test_accuracy_is_the_share_on_the_diagonal() -> None:
    assert PLAIN.test_accuracy == 197 / 200


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    directory = tmp_path / "results" / "published"
    other = replace(PLAIN, seed=1, epochs=(30, 20, 10), fold=None, validation_accuracy=None, pruning={"keep": 0.5})
    for result in (PLAIN, other, replace(PLAIN, seconds=99.0)):
        write(result, directory)

    assert read_all(directory) == {
        "article-2.published.0": replace(PLAIN, seconds=99.0),
        "article-2.published.1": other,
    }
    assert sorted(file.name for file in directory.iterdir()) == [
        "article-2.published.0.json",
        "article-2.published.1.json",
    ]
    assert json.loads((directory / "article-2.published.0.json").read_text())["test_accuracy"] == PLAIN.test_accuracy


def test_where_there_is_no_directory_there_are_no_results(tmp_path: Path) -> None:
    assert read_all(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not"),
        ("[]", "is not"),
        ("{}", "has no 'network'"),
        (json.dumps(PLAIN.to_json() | {"recipe_name": "theirs"}), "its recipe is 'theirs'"),
        (json.dumps(PLAIN.to_json() | {"confusion": [[0, 0], [0, 0]]}), "is not"),
        (json.dumps(PLAIN.to_json() | {"confusion": [[1], [1]]}), "is not"),
        (json.dumps(PLAIN.to_json() | {"seed": 3}), "it is that of article-2.published.3"),
    ],
)
def test_a_damaged_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "article-2.published.0.json").write_text(text)
    with pytest.raises(SettingsError, match=r"article-2\.published\.0\.json must be a training's result") as caught:
        read_all(tmp_path)

    assert said in str(caught.value)


def test_a_directory_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SearchError, match="cannot be written"):
        write(PLAIN, tmp_path / "file")


def test_each_network_has_a_row_with_what_was_run() -> None:
    results = [result_of(0, 990), result_of(1, 992), result_of(0, 996, "ours"), result_of(0, 500, "ours", "article-1")]
    found = {row.network.name: row.outcomes for row in rows(NETWORKS, results)}

    assert found.keys() == RECIPES.keys()
    assert found["article-3"] == {}
    assert found["article-1"].keys() == {"ours"}
    theirs, ours = found["article-2"]["published"].test, found["article-2"]["ours"].test
    assert (theirs.count, theirs.worst) == (2, 0.99)
    assert theirs.mean == pytest.approx(0.991)
    assert theirs.deviation == pytest.approx(0.001 * 2**0.5)
    assert (ours.count, ours.mean, ours.deviation, ours.interval) == (1, 0.996, None, None)


def test_a_row_tells_how_long_its_trainings_were() -> None:
    results = [
        replace(PLAIN, seconds=10.0, epochs=(40, 31, 12), validation_accuracy=0.98),
        replace(PLAIN, seed=1, seconds=20.0, epochs=(40, 40, 40), validation_accuracy=0.99),
    ]
    (row,) = rows([BY_NAME["article-2"]], results)
    outcome = row.outcomes["published"]

    assert outcome.epochs == (83, 120)
    assert outcome.seconds == 15.0
    assert outcome.validation == pytest.approx(0.985)


def test_rows_are_plain_json() -> None:
    (row,) = rows([BY_NAME["article-2"]], [result_of(0, 990), result_of(1, 992)])
    value = json.loads(json.dumps(row_json(row)))

    assert value["published"]["test"]["mean"] == pytest.approx(0.991)
    assert value["ours"] is None
    assert (value["parameters"], value["published_accuracy"]) == (5_382, 0.9947)


def page(results: list[TrainingResult]) -> str:
    return markdown(rows(NETWORKS, results), results, {"": ("of all",), "eip-1": ("open",), "eip-2": ("open",)})


def line_of(text: str, network: str) -> list[str]:
    """The cells of a network's first line."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {network} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_puts_the_claim_beside_what_was_reached() -> None:
    text = page([result_of(0, 990), result_of(1, 992), result_of(0, 996, "ours")])

    assert line_of(text, "article-2") == ["article-2", "5,382", "99.47 %", "99.10 ± 0.14 % (2)", "99.60 % (1)"]
    assert line_of(text, "article-pruned") == ["article-pruned", "2,471", "99.20 %", NOT_RUN, NOT_RUN]
    assert "| article-2 | their recipe | 2 | 99.10 % | 97.83 to 100.00 % | 99.00 % | 99.11 % | 31 | 12 s |" in text
    assert "| article-2 | our recipe | 1 | 99.60 % | - | 99.60 % |" in text


def test_the_page_has_its_conditions_each_once() -> None:
    later = replace(result_of(1, 992), date="2026-11-23", conditions={"machine": "2 cores", "torch": "2.15"})
    text = page([result_of(0, 990), later])

    assert "- trainings: 2, ended 2026-11-21 to 2026-11-23\n" in text
    assert "- machine: 2 cores\n" in text
    assert "- torch: 2.14.1; 2.15\n" in text
    assert "- command: `search published train article-2`\n" in text


def test_the_page_says_what_was_taken_without_a_text() -> None:
    text = page([])

    assert "- all: of all\n- eip-1, eip-2: open\n" in text
    assert "No training has ended yet." in text


def test_every_line_of_a_table_has_the_same_columns() -> None:
    text = page([result_of(0, 990), result_of(1, 992), result_of(0, 996, "ours")])
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]

    assert len(tables) == 2
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1
