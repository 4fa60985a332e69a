from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from search import storage
from search.commands.compare import compare_command
from search.comparing import PROPORTIONS, WELCH, Comparison, Contender, Kind, compare, held_out, row
from search.errors import NotFoundError, SettingsError
from search.ledger import Ledger, RungResult
from search.settings import StudySettings
from space.candidate import Candidate, Confirmation, State, Verification
from space.fitting import smallest
from space.statistics import difference, proportion_difference, proportion_interval
from tests.space.strategies import PROPERTY
from workers.dataset import FOLDS, split
from workers.sources import SOURCES

LINE = "1x28x28-4c3nr-P2-10c1-G"


def contender(
    *,
    number: int = 0,
    dataset: str = "mnist",
    rungs: dict[int, float] | None = None,
    confirmed: tuple[float, ...] = (),
    verified: tuple[float, ...] = (),
    images: int = 10_000,
    epochs: int = 16,
) -> Contender:
    candidate = Candidate(
        number=number,
        state=State.COMPLETE,
        origin="sampler",
        line=LINE,
        parameters=90,
        macs=1_000,
        peak_activation_bytes=4_000,
        rungs={1: 0.97, 4: 0.98, 16: 0.99} if rungs is None else rungs,
        confirmations=tuple(
            Confirmation(fold=1 + place, seed=place, accuracy=accuracy, seconds=1.0)
            for place, accuracy in enumerate(confirmed)
        ),
        verifications=tuple(
            Verification(
                place=place,
                seed=place,
                accuracy=accuracy,
                confusion=((images // 2, 0), (images // 4, images - images // 2 - images // 4)),
                epochs=epochs,
                seconds=1.0,
            )
            for place, accuracy in enumerate(verified)
        ),
    )
    return Contender(study="study", dataset=dataset, candidate=candidate)


def compared(first: Contender, other: Contender) -> Comparison:
    found = compare(first, other)
    assert isinstance(found, Comparison)
    return found


@given(st.integers(1, 300), st.integers(0, FOLDS - 1))
@PROPERTY
def test_a_fold_has_the_images_that_are_counted(images: int, fold: int) -> None:
    sources = {"few": replace(SOURCES["mnist"], images=images)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.comparing.SOURCES", sources)
        assert held_out("few", fold) == len(split(np.arange(images) % 3, fold).validation)


def test_a_fold_of_mnist_has_10000_images_and_one_of_an_unknown_data_set_nobody_knows() -> None:
    assert held_out("mnist", 0) == 10_000
    assert held_out("cifar", 0) is None


@pytest.mark.parametrize(
    ("given_runs", "kind", "mean", "images"),
    [
        ({"verified": (0.990, 0.992), "confirmed": (0.993, 0.994)}, Kind.TEST, 0.991, 500),
        ({"confirmed": (0.993, 0.995)}, Kind.CONFIRMATION, 0.994, 10_000),
        ({}, Kind.VALIDATION, 0.99, 10_000),
    ],
)
def test_the_most_believable_accuracy_is_shown(given_runs: Any, kind: Kind, mean: float, images: int) -> None:
    reading = contender(**given_runs, images=500).best_known

    assert reading is not None
    assert reading.kind == kind
    assert reading.images == images
    assert reading.summary.mean == pytest.approx(mean)


def test_several_trainings_give_an_interval_by_their_spread_and_one_by_its_images() -> None:
    several, one = contender(verified=(0.990, 0.992, 0.994)).best_known, contender(verified=(0.990,)).best_known

    assert several is not None
    assert several.interval == pytest.approx((0.992 - 0.0049683, 0.992 + 0.0049683), abs=1e-6)
    assert one is not None
    assert one.interval == proportion_interval(9_900, 10_000)


def test_no_interval_leaves_the_possible() -> None:
    reading = contender(confirmed=(0.9, 1.0)).best_known

    assert reading is not None
    assert reading.interval is not None
    assert reading.interval == pytest.approx((0.95 - 12.706205 * 0.05, 1.0))


def test_a_single_accuracy_on_nobody_knows_how_many_images_has_no_interval() -> None:
    reading = contender(dataset="cifar").best_known

    assert reading is not None
    assert reading.interval is None
    assert compare(contender(dataset="cifar"), contender(dataset="cifar")) == "not known on how many images"


def test_a_candidate_that_was_never_trained_has_no_accuracy() -> None:
    untrained = contender(rungs={})

    assert untrained.best_known is None
    assert compare(contender(), untrained) == "not measured alike"
    assert row(untrained, compare(contender(), untrained))["accuracy"] is None


def test_several_trainings_of_a_kind_are_compared_by_their_spread() -> None:
    first, other = (0.990, 0.991, 0.992), (0.995, 0.996, 0.997)
    found = compared(contender(confirmed=first), contender(confirmed=other))

    assert (found.kind, found.test) == (Kind.CONFIRMATION, WELCH)
    assert found.difference == difference(first, other)
    assert found.difference.mean == pytest.approx(0.005)
    assert found.difference.exceeds_noise


def test_what_was_verified_is_compared_on_the_test_images_only_if_both_were() -> None:
    verified = contender(verified=(0.990, 0.991), confirmed=(0.993, 0.994))
    confirmed = contender(confirmed=(0.992, 0.993))

    assert compared(verified, verified).kind == Kind.TEST
    assert compared(verified, confirmed).kind == Kind.CONFIRMATION
    assert compared(verified, contender()).kind == Kind.VALIDATION


def test_single_trainings_are_compared_by_their_images() -> None:
    found = compared(contender(rungs={16: 0.9920}), contender(rungs={16: 0.9950}))

    assert (found.kind, found.test, found.epochs) == (Kind.VALIDATION, PROPORTIONS, 16)
    assert found.difference == proportion_difference((9_920, 10_000), (9_950, 10_000))
    assert found.difference.exceeds_noise


def test_one_verification_against_several_is_compared_by_one_test_sets_images() -> None:
    """Five trainings do not make the test set five times as large."""
    found = compared(contender(verified=(0.9930,)), contender(verified=(0.9950, 0.9940, 0.9945, 0.9940, 0.9950)))

    assert found.test == PROPORTIONS
    assert found.difference == proportion_difference((9_930, 10_000), (9_945, 10_000))
    assert not found.difference.exceeds_noise


def test_trainings_that_all_came_to_the_same_are_compared_by_their_images() -> None:
    found = compared(contender(confirmed=(0.99, 0.99)), contender(confirmed=(0.991, 0.991)))

    assert (found.kind, found.test) == (Kind.CONFIRMATION, PROPORTIONS)


def test_only_trainings_of_the_same_length_are_compared() -> None:
    short, long = contender(rungs={1: 0.98, 4: 0.985}), contender(rungs={1: 0.97, 4: 0.99, 16: 0.995})
    found = compared(long, short)

    assert found.epochs == 4
    assert found.difference.mean == pytest.approx(-0.005)
    assert compare(contender(rungs={1: 0.9}), contender(rungs={2: 0.9})) == "not measured alike"
    shorter = compared(contender(verified=(0.99, 0.992)), contender(verified=(0.98, 0.981), epochs=4))
    assert shorter.kind == Kind.VALIDATION


def test_candidates_of_two_data_sets_are_not_compared() -> None:
    assert compare(contender(), contender(dataset="kmnist")) == "another data set"


@pytest.fixture
def studies(database: str, settings: StudySettings) -> dict[str, list[int]]:
    """`won` has a winner that is not its best, `open` has none, `begun` has no candidate that is complete."""
    store = storage.open_or_create(storage.parse(database))
    won, other, early = (Ledger.create(store, name, settings) for name in ("won", "open", "begun"))
    numbers = {
        "won": [trained(won, settings, 0.96), trained(won, settings, 0.94)],
        "open": [trained(other, settings, 0.90), trained(other, settings, 0.91)],
    }
    for ledger in (other, early):
        ledger.tell_pruned(begun(ledger, settings), RungResult(1, 0.99, 1.0), "not among the best")
    winner = numbers["won"][1]
    for place, accuracy in enumerate((0.936, 0.940, 0.944)):
        won.reruns.record_confirmation(
            winner, place, Confirmation(fold=1 + place, seed=place, accuracy=accuracy, seconds=1.0)
        )
    won.record_winner(winner)
    store.close()
    return numbers


def begun(ledger: Ledger, settings: StudySettings) -> int:
    return ledger.begin(settings.space, smallest(settings.space), settings.budget)


def trained(ledger: Ledger, settings: StudySettings, accuracy: float) -> int:
    number = begun(ledger, settings)
    ledger.tell_complete(number, RungResult(16, accuracy, 1.0))
    return number


def run(database: str, *arguments: str) -> str:
    done = CliRunner().invoke(compare_command, [*arguments, "--storage", database])
    if done.exception is not None:
        raise done.exception
    assert done.stderr == ""
    return done.stdout


def test_a_study_stands_for_its_winner_or_else_for_its_best_that_is_complete(
    database: str, studies: dict[str, list[int]]
) -> None:
    first, second = json.loads(run(database, "won", "open", "--json"))

    assert first["candidate"] == f"won/{studies['won'][1]}"
    assert first["accuracy"]["kind"] == "confirmation"
    assert first["accuracy"]["runs"] == [0.936, 0.94, 0.944]
    assert first["difference"] is None
    assert second["candidate"] == f"open/{studies['open'][1]}"
    assert second["accuracy"]["kind"] == "validation"
    assert second["accuracy"]["images"] == 250
    assert second["difference"]["test"] == PROPORTIONS
    assert second["difference"]["mean"] == pytest.approx(-7 / 250)  # 0.94 and 0.91 of 250 images are 235 and 228
    assert not second["difference"]["exceeds_noise"]
    for found in (first, second):
        low, high = found["accuracy"]["interval"]
        assert low < found["accuracy"]["mean"] < high
        assert found["parameters"] > 0


def test_the_table_says_what_the_json_says(database: str, studies: dict[str, list[int]]) -> None:
    winner, least, best = f"won/{studies['won'][1]}", f"open/{studies['open'][0]}", f"won/{studies['won'][0]}"
    costs, against = run(database, winner, least, best).split(f"Accuracy against {winner}")

    assert [line.split()[0] for line in against.splitlines() if "/" in line] == [least, best]
    assert "94.00 %" in line_of(winner, costs)
    assert "confirmation, 3 trainings" in line_of(winner, costs)
    assert "validation, 16 epochs" in line_of(least, costs)
    assert f"{winner}  1x8x8-" in costs
    assert " -4.00 " in line_of(least, against)
    assert "no, p = 0.099" in line_of(least, against)
    assert "two proportions, validation, 16 epochs" in line_of(least, against)
    assert " +2.00 " in line_of(best, against)


def line_of(name: str, text: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(name))


def test_one_alone_cannot_be_compared(database: str, studies: dict[str, list[int]]) -> None:
    with pytest.raises(SettingsError, match="two studies or candidates at least, but got won"):
        run(database, "won")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("begun", "study begun has no candidate trained to the end; name one, as in begun/7"),
        ("nothing", "no study is called nothing"),
        ("won/99", "study won has no candidate 99"),
    ],
)
def test_what_is_not_there_is_named(database: str, studies: dict[str, list[int]], name: str, message: str) -> None:
    with pytest.raises(NotFoundError, match=message):
        run(database, "won", name)


def test_without_a_database_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no study database"):
        run(f"sqlite:///{tmp_path / 'none.db'}", "a", "b")
    assert not list(tmp_path.iterdir())
