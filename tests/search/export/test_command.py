from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from search.commands.export import export_command
from search.errors import NotFoundError, SearchError, SettingsError
from search.export.names import CARD, FORMATS, METRICS
from search.export.onnx_file import Onnx
from search.ledger import Ledger
from space.candidate import Candidate, PrunedFrom
from space.notation import read
from tests.search.export.networks import with_weights
from workers.weights import pack

CONFUSION = tuple(tuple(29 * (row == column) for column in range(10)) for row in range(10))


@pytest.fixture
def verified(ledger: Ledger, candidate: Candidate) -> Candidate:
    """The winner, with two verifications on record."""
    for place in (0, 1):
        weights = pack(with_weights(read(candidate.line), place).state_dict())
        ledger.verifications.add(candidate.number, place, seed=place, epochs=16, seconds=1.0, weights=weights)
        ledger.verifications.record_test(candidate.number, 16, place, CONFUSION)
    ledger.record_winner(candidate.number)
    return ledger.candidate(candidate.number)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


def export(database: str, place: str, output: Path, *arguments: str) -> Result:
    command = [place, "-o", str(output), "--storage", database, *arguments]
    return CliRunner().invoke(export_command, command, standalone_mode=False)


def refusal(result: Result, kind: type[SearchError]) -> str:
    assert isinstance(result.exception, kind), result
    assert result.stdout == ""
    (line,) = str(result.exception).splitlines()
    return line


@pytest.mark.parametrize("place", ["study", "study/0"])
def test_a_winner_is_written_and_its_files_are_listed(
    verified: Candidate, database: str, output: Path, place: str
) -> None:
    done = export(database, place, output, "--format", "onnx", "--format", "safetensors")
    assert done.return_value == 0, done.exception
    there = {file.name for file in output.iterdir()}
    assert there == {"model.onnx", "model.safetensors", "model.py", METRICS, CARD}
    for name in there - {METRICS, CARD}:
        assert name in done.stdout
    assert "299 of 299" in done.stdout
    assert "checking onnx on 299 test images" in done.stderr


def test_json_is_what_metrics_json_holds(verified: Candidate, database: str, output: Path) -> None:
    done = export(database, "study", output, "--format", "onnx", "--json")
    told = json.loads(done.stdout)
    assert told["metrics"] == json.loads((output / METRICS).read_text())
    assert told["failed"] == {}
    assert told["metrics"]["architecture"] == verified.line
    assert told["metrics"]["data"]["name"] == "digits"
    assert told["metrics"]["search"]["settings"]["budgets"] == [3000]


def test_the_weights_are_those_of_the_first_verification_unless_another_is_named(
    verified: Candidate, ledger: Ledger, database: str, output: Path
) -> None:
    export(database, "study", output / "first", "--format", "safetensors")
    export(database, "study", output / "second", "--format", "safetensors", "--verification", "1")
    for place, name in enumerate(("first", "second")):
        assert (output / name / "model.safetensors").read_bytes() == ledger.verifications.packed(0, 16, place)


def test_preprocessing_is_built_in_where_that_is_asked_for(verified: Candidate, database: str, output: Path) -> None:
    done = export(database, "study", output, "--format", "onnx", "--include-preprocessing", "--json")
    assert json.loads(done.stdout)["metrics"]["input"]["preprocessing_included"]


def test_a_file_that_fails_is_not_left_and_the_exit_code_says_so(
    verified: Candidate, database: str, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Onnx, "run", lambda *_: np.zeros((299, 10), np.float32))
    done = export(database, "study", output, "--format", "onnx", "--format", "safetensors")
    assert done.return_value == 1
    assert "error: onnx is not left behind: " in done.stderr
    assert "predictions are not PyTorch's" in done.stderr
    assert "model.onnx" not in done.stdout
    assert not (output / "model.onnx").exists()
    assert (output / "model.py").exists()


def test_a_pruned_network_counts_what_is_left(verified: Candidate, ledger: Ledger, database: str, output: Path) -> None:
    from search.ledger import RungResult

    pruning = PrunedFrom(parent=0, what="weights", keep=0.5, rounds=1, round=1)
    number = ledger.add_pruned(read(verified.line), verified.parameters - 100, pruning, RungResult(16, 0.9, 1.0))
    packed = ledger.verifications.packed(0, 16, 0)
    assert packed is not None
    ledger.verifications.add(number, 0, seed=0, epochs=16, seconds=1.0, weights=packed)
    ledger.verifications.record_test(number, 16, 0, CONFUSION)
    done = export(database, f"study/{number}", output, "--format", "safetensors", "--json")
    found = json.loads(done.stdout)["metrics"]
    assert (found["parameters"], found["parameters_held_at_zero"]) == (verified.parameters - 100, 100)
    assert found["search"]["pruning"]["parent"] == 0
    assert "trainable parameters, and 100 that pruning holds at zero" in (output / "model.py").read_text()
    assert "| parameters that pruning holds at zero | 100 |" in (output / CARD).read_text()


def test_a_candidate_without_verification_is_told_how_to_get_one(
    ledger: Ledger, candidate: Candidate, database: str, output: Path
) -> None:
    line = refusal(export(database, "study/0", output), NotFoundError)
    assert line == "study/0 has no verified weights yet; to train them: search verify study/0"
    assert not output.exists()


def test_a_verification_that_is_not_there_is_not_found(verified: Candidate, database: str, output: Path) -> None:
    line = refusal(export(database, "study", output, "--verification", "2"), NotFoundError)
    assert line == "study/0 has no verification 2 (it has 0, 1)"


def test_a_study_without_a_winner_has_no_default(
    ledger: Ledger, candidate: Candidate, database: str, output: Path
) -> None:
    assert "no confirmed winner" in refusal(export(database, "study", output), NotFoundError)


def test_a_directory_with_files_is_refused_before_the_study_is_read(output: Path) -> None:
    output.mkdir()
    (output / "notes.txt").write_text("mine")
    line = refusal(export("sqlite:///nothing/here.db", "study", output), SettingsError)
    assert "must be empty or not there yet, but has notes.txt" in line


def test_other_data_than_the_study_had_are_refused(
    verified: Candidate, ledger: Ledger, database: str, output: Path
) -> None:
    ledger.record_conditions({"data_sha256": "0" * 64})
    line = refusal(export(database, "study", output, "--format", "onnx"), SettingsError)
    assert line.startswith(f"study study was begun on digits with SHA-256 {'0' * 64}, but the data have ")
    assert not output.exists()


def test_damaged_weights_are_one_line(ledger: Ledger, candidate: Candidate, database: str, output: Path) -> None:
    ledger.verifications.add(candidate.number, 0, seed=0, epochs=16, seconds=1.0, weights=b"nothing")
    ledger.verifications.record_test(candidate.number, 16, 0, CONFUSION)
    line = refusal(export(database, "study/0", output, "--format", "onnx"), SearchError)
    assert "not a network's weights" in line


def test_all_formats_are_offered() -> None:
    told = CliRunner().invoke(export_command, ["--help"], standalone_mode=False).stdout
    for name in (*FORMATS, "all"):
        assert name in told
