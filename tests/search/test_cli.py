"""The command line as a user meets it: a process of its own, real files, real Ray where a command trains."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from search.cli import cli

pytestmark = pytest.mark.xdist_group("ray")  # one Ray at a time: several on two cores starve each other

SEARCH = str(Path(sys.executable).with_name("search"))


def search(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SEARCH, *arguments], capture_output=True, text=True, check=False, env=os.environ | environment, timeout=240
    )


def one_line(stderr: str) -> str:
    lines = stderr.strip().splitlines()
    assert "Traceback" not in stderr
    return lines[-1]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a small search has met its target; made once, read by many tests."""
    home = tmp_path_factory.mktemp("finished")
    done = search(*"run --dataset digits --budget 5k --target 80% --trials 30".split(), PETITNET_HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert "Confirmed for 80.00 % with at most 5,000 parameters" in done.stdout
    assert "complete" in done.stderr
    return home


STUDY = "digits-5000-0.8"


def test_a_met_target_is_shown_at_once(finished: Path) -> None:
    again = search(*"run --dataset digits --budget 5000 --target 0.8 --json".split(), PETITNET_HOME=str(finished))
    found = json.loads(again.stdout)
    assert again.returncode == 0
    assert again.stderr == ""
    assert found["target_met"]
    assert found["winner"]["parameters"] <= 5000
    assert found["winner"]["confirmed_accuracy"] >= 0.8
    assert len(found["winner"]["confirmations"]) == 3


def test_nothing_is_left_running_and_every_end_has_a_reason(finished: Path) -> None:
    rows = json.loads(search("trials", STUDY, "--json", PETITNET_HOME=str(finished)).stdout)
    assert rows
    for row in rows:
        assert row["state"] in ("complete", "pruned", "over budget", "failed")
        assert row["reason"] or row["state"] == "complete"
        assert (row["parameters"] > 5000) == (row["state"] == "over budget")
        assert row["state"] != "over budget" or row["epochs"] == 0


def test_list_status_best_and_show_agree(finished: Path) -> None:
    home = {"PETITNET_HOME": str(finished)}
    (study,) = json.loads(search("list", "--json", **home).stdout)
    status = json.loads(search("status", STUDY, "--json", **home).stdout)
    best = json.loads(search("best", STUDY, "--json", "-n", "1", **home).stdout)
    shown = json.loads(search("show", STUDY, "--json", **home).stdout)
    numbered = json.loads(search("show", f"{STUDY}/{study['winner']}", "--json", **home).stdout)
    assert study["study"] == STUDY
    assert study["winner"] == status["winner"]["number"] == best[0]["number"] == shown["number"]
    assert numbered == shown
    assert sum(layer["parameters"] for layer in shown["layers"]) == shown["parameters"]
    assert status["conditions"].keys() >= {"data_sha256", "torch", "optuna", "ray", "device", "numerics"}


def test_tables_are_for_people(finished: Path) -> None:
    home = {"PETITNET_HOME": str(finished)}
    assert STUDY in search("list", **home).stdout
    assert "Best candidates" in search("best", STUDY, **home).stdout
    shown = search("show", STUDY, **home).stdout
    assert "global average pool" in shown or "flatten" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
def test_all_candidates_can_be_taken_away(finished: Path, tmp_path: Path, ending: str) -> None:
    import pandas

    file = tmp_path / f"all.{ending}"
    done = search("trials", STUDY, "-o", str(file), PETITNET_HOME=str(finished))
    assert done.returncode == 0, done.stderr
    match ending:
        case "csv":
            frame = pandas.read_csv(file)
        case "parquet":
            frame = pandas.read_parquet(file)
        case _:
            frame = pandas.read_json(file)
    assert {"number", "state", "parameters", "architecture", "accuracy", "accuracy_1", "reason"} <= set(frame.columns)
    assert list(frame["number"]) == list(range(len(frame)))


def test_fresh_begins_another_study_and_the_same_command_then_goes_on_with_that(finished: Path) -> None:
    home = {"PETITNET_HOME": str(finished)}
    command = "run --dataset digits --budget 5000 --target 0.8 --trials 1 --json".split()
    begun = search(*command, "--fresh", **home)
    assert json.loads(begun.stdout)["study"] == f"{STUDY}-2"
    assert json.loads(search(*command, **home).stdout)["study"] == f"{STUDY}-2"


def test_several_budgets_are_met_and_then_shrinking_goes_on_below_them(finished: Path, tmp_path: Path) -> None:
    home = {"PETITNET_HOME": str(finished), "OPTUNA_STORAGE": f"sqlite:///{tmp_path / 'several.db'}"}
    command = "run --dataset digits --budget 6k,3k --target 70% --json".split()
    done = search(*command, "--shrink", "--trials", "2", **home)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["study"] == "digits-3000-6000-0.7"
    assert [row["budget"] for row in found["budgets"]] == [3000, 6000]
    assert all(row["winner"]["parameters"] <= row["budget"] for row in found["budgets"])
    sizes = [win["parameters"] for win in found["trail"]]
    assert sizes == sorted(set(sizes), reverse=True)
    assert "winner; the search goes on with at most" in done.stderr
    assert sum(found["counts"][state] for state in ("complete", "pruned", "failed")) >= 2
    again = search(*command, **home)
    assert (again.returncode, again.stderr) == (0, "")
    assert json.loads(again.stdout)["trail"] == found["trail"]


def test_rungs_can_be_chosen_and_are_the_study_s_own(finished: Path, tmp_path: Path) -> None:
    home = {"PETITNET_HOME": str(finished), "OPTUNA_STORAGE": f"sqlite:///{tmp_path / 'rungs.db'}"}
    command = "run --dataset digits --budget 3k --target 100% --json".split()
    found = json.loads(search(*command, "--rungs", "1,2", "--trials", "1", **home).stdout)
    trained = [set(row["rungs"]) for row in found["best"]]
    assert trained == [{"1", "2"}]
    again = json.loads(search(*command, "--trials", "2", **home).stdout)
    assert sum(again["counts"][state] for state in ("complete", "pruned", "failed")) == 2
    refused = search(*command, "--rungs", "1,4", **home)
    assert refused.returncode == 2
    assert "rungs: the study has [1, 2], asked for [1, 4]" in one_line(refused.stderr)


def test_other_settings_for_the_same_study_are_refused_with_the_difference(finished: Path) -> None:
    arguments = "run --dataset digits --budget 4000 --target 0.8 --study-name".split()
    refused = search(*arguments, STUDY, PETITNET_HOME=str(finished))
    assert refused.returncode == 2
    assert "budgets: the study has [5000], asked for [4000]" in one_line(refused.stderr)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("run --budget 12 --target 0.9", 2, "budget must be at least"),
        ("run --budget 12,10k --target 0.9", 2, "budget must be at least"),
        ("run --budget 10k,10000 --target 0.9", 2, "budgets must differ from each other, but got 10k,10000"),
        ("run --budget 10k --target 0.9 --rungs 4,1", 2, "rungs must be growing whole numbers of epochs"),
        ("run --budget many --target 0.9", 2, "budget must be a whole number"),
        ("run --budget 10k --target 99.4", 2, "target must be above 0 and at most 1"),
        ("run --budget 10k --target 0.9 --dataset cifar", 2, "must be one of mnist, mnist-16, digits"),
        ("run --budget 10k --target 0.9 --storage postgres", 5, "storage must be a URL"),
        ("run --budget 10k --target 0.9 --trials 0", 2, "trials"),
        ("run --budget 10k --target 0.9 --timeout soon", 2, "a time must be above 0"),
        ("run --target 0.9", 2, "--budget"),
        ("status nothing", 4, "no study database"),
        ("resume nothing", 4, "no study database"),
        ("nonsense", 2, "nonsense"),
    ],
)
def test_bad_input_is_one_clear_line_before_anything_is_created(
    petitnet_home: Path, arguments: str, code: int, said: str
) -> None:
    refused = search(*arguments.split())
    assert refused.returncode == code
    assert said in one_line(refused.stderr)
    assert refused.stdout == ""
    assert not petitnet_home.exists()


def test_a_password_in_a_bad_url_is_masked() -> None:
    refused = search(*"run --budget 10k --target 0.9 --storage nosuch://me:secret@localhost/db".split())
    assert refused.returncode == 5
    assert "secret" not in refused.stderr


def test_a_server_that_is_not_there_is_exit_code_5_and_its_password_masked() -> None:
    refused = search(*"list --storage postgresql://me:secret@127.0.0.1:1/db".split())
    assert refused.returncode == 5
    assert "cannot be used" in one_line(refused.stderr)
    assert "secret" not in refused.stderr


def test_an_unknown_study_names_those_there_are(finished: Path) -> None:
    refused = search("show", "nothing/3", PETITNET_HOME=str(finished))
    assert refused.returncode == 4
    assert f"no study is called nothing (there are: {STUDY}" in one_line(refused.stderr)


def test_a_home_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = search(
        *"run --dataset digits --budget 10k --target 0.9".split(), PETITNET_HOME=str(tmp_path / "file" / "home")
    )
    assert refused.returncode == 2
    assert "must be a directory" in one_line(refused.stderr)


def test_a_damaged_data_file_is_never_trained_on(finished: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    data = home / "data" / "digits"
    data.mkdir(parents=True)
    for file in (finished / "data" / "digits").iterdir():
        (data / file.name).write_bytes(file.read_bytes())
    images = data / "train-images.npy"
    images.write_bytes(images.read_bytes()[:-1] + b"\x01")
    refused = search(*"run --dataset digits --budget 10k --target 0.9".split(), PETITNET_HOME=str(home))
    assert refused.returncode == 2
    assert "its SHA-256 must be" in one_line(refused.stderr)
    assert not (home / "studies.db").exists()


def test_defaults_come_from_a_file_the_environment_and_flags_in_that_order(tmp_path: Path, finished: Path) -> None:
    (tmp_path / "petitnet.toml").write_text('[spaces]\ndataset = "digits"\n')
    named = {"PETITNET_CONFIG": str(tmp_path / "petitnet.toml"), "PETITNET_HOME": str(finished)}
    assert json.loads(search("spaces", "--json", **named).stdout)["dataset"] == "digits"
    assert json.loads(search("spaces", "--json", "--dataset", "mnist", **named).stdout)["dataset"] == "mnist"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[run]\ncolour = 1\n", "options of run must be among"),
        ("[walk]\n", "tables must be commands"),
        ("=", "is not TOML"),
    ],
)
def test_a_bad_configuration_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    refused = search("--config", str(file), "list")
    assert refused.returncode == 2
    assert said in one_line(refused.stderr)


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["status", STUDY]])
def test_what_only_reads_imports_nothing_heavy(finished: Path, arguments: list[str]) -> None:
    script = (
        "import sys\n"
        f"sys.argv = ['search', *{arguments!r}]\n"
        "from search.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = [name for name in ('torch', 'ray', 'pandas', 'plotly') if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    environment = os.environ | {"PETITNET_HOME": str(finished)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr


def test_the_space_is_described() -> None:
    described = json.loads(search("spaces", "--json").stdout)
    assert described["smallest"] < 200
    assert described["share_within"]["10000"] > 1 / 3
    assert {"article-2", "steps-3", "eip-4", "optimization", "reduce-2"} <= described["published"].keys()
    assert "width1" in described["ranges"]


def test_every_command_has_help() -> None:
    assert all(command.help for command in cli.commands.values())


@pytest.fixture(scope="module")
def verified(finished: Path) -> tuple[Path, str]:
    """The same home after a verification that was interrupted once, and what was said on stderr by both."""
    command = [SEARCH, *f"verify {STUDY} --seeds 3 --workers 1".split()]
    environment = os.environ | {"PETITNET_HOME": str(finished)}
    first = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    said = first.stderr.readline()
    first.send_signal(signal.SIGINT)
    said += first.communicate(timeout=120)[1]
    assert first.returncode == 130, said
    assert f"to go on: search verify {STUDY} --seeds 3" in said
    done = search(*command[1:], PETITNET_HOME=str(finished))
    assert done.returncode == 0, done.stderr
    assert "mean of 3, which meets the target of 80.00 %" in done.stdout
    return finished, said + done.stderr


def test_a_verification_goes_on_where_it_was_interrupted(verified: tuple[Path, str]) -> None:
    trained = re.findall(r"seed (\d+) trained", verified[1])
    assert len(trained) == len(set(trained)) == 3


def test_what_was_verified_is_shown_and_the_next_verification_knows_of_it(verified: tuple[Path, str]) -> None:
    home = {"PETITNET_HOME": str(verified[0])}
    again = search(*f"verify {STUDY} --seeds 3 --json".split(), **home)
    found = json.loads(again.stdout)
    assert "the test set has been read before in this study: 3 times" in one_line(again.stderr)
    assert found["test_accuracy"]["runs"] == 3
    assert found["test_accuracy"]["worst"] == min(run["accuracy"] for run in found["verifications"])
    (best,) = json.loads(search("best", STUDY, "--json", "-n", "1", **home).stdout)
    assert best["verified_accuracy"] == found["test_accuracy"]["mean"]
    assert "mean of 3, standard deviation" in search("show", STUDY, **home).stdout


def test_a_verified_network_is_exported_and_compared(verified: tuple[Path, str], tmp_path: Path) -> None:
    home = {"PETITNET_HOME": str(verified[0])}
    done = search("export", STUDY, "-o", str(tmp_path / "out"), "--format", "safetensors", "--json", **home)
    assert done.returncode == 0, done.stderr
    alone = subprocess.run([sys.executable, "-I", "model.py"], cwd=tmp_path / "out", capture_output=True, text=True)
    parameters = json.loads(done.stdout)["metrics"]["parameters"]
    assert alone.stdout.strip() == f"{parameters} parameters"
    compared = search("compare", STUDY, f"{STUDY}/0", **home)
    assert compared.returncode == 0, compared.stderr
    assert "test, 3 trainings" in compared.stdout
