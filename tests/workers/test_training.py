from __future__ import annotations

import re
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from space.architecture import Architecture
from space.building import build
from space.notation import read
from workers.dataset import FOLDS, DataSet, make, split
from workers.job import Failed, Trained
from workers.kernels import Kernels
from workers.muon import Muon
from workers.numerics import COMPILED, Numerics
from workers.recipe import Augmentation, Recipe, default_recipe
from workers.schedule import steps_per_epoch, triangle
from workers.training import Batches, batches, train
from workers.weights import unpack

CPU = torch.device("cpu")
SMALL = read("1x8x8-4c3pnr-P2-3c3p-G")
WITHOUT_NORM = read("1x8x8-4c3pr-P2-F-3fb")
STILL = Augmentation(rotation=0, scale=0, shift=0, shear=0)
FAST = Recipe(epochs=2, batch=12)


ENGINE = Numerics()


@pytest.fixture(autouse=True, params=[Numerics(), COMPILED], ids=["torch", "compiled"])
def every_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kernels: Kernels) -> None:
    """PyTorch's steps and whole compiled ones: what is asked of a training is asked of both."""
    monkeypatch.setitem(globals(), "ENGINE", request.param)


def on_cpu(data: DataSet, fold: int = 0, numerics: Numerics | None = None) -> Batches:
    return batches(data, fold, numerics or ENGINE, CPU)


def trained(architecture: Architecture, data: Batches, recipe: Recipe, seed: int = 0) -> Trained:
    outcome = train(architecture, data, recipe, seed=seed)
    assert isinstance(outcome, Trained)
    return outcome


def test_digits_are_learned(digits: DataSet) -> None:
    data = on_cpu(digits)
    architecture = read("1x8x8-12c3pnr-P2-16c3pnr-10c3p-G")
    outcome = trained(architecture, data, default_recipe(16, len(data.train)), seed=1)

    assert outcome.accuracy > 0.9
    assert outcome.epochs == 16
    assert 0 < outcome.losses[-1] < 1
    assert outcome.seconds > 0


def test_the_seed_gives_the_result(few: DataSet) -> None:
    first, again, other = (trained(SMALL, on_cpu(few), FAST, seed) for seed in (5, 5, 6))

    assert (first.accuracy, first.losses[-1]) == (again.accuracy, again.losses[-1])
    assert first.losses[-1] != other.losses[-1]


def test_dropout_follows_the_seed(few: DataSet) -> None:
    architecture = read("1x8x8-4c3pnrd0.5-P2-3c3p-G")
    first, again = (trained(architecture, on_cpu(few), FAST, seed=5) for _ in range(2))

    assert (first.accuracy, first.losses[-1]) == (again.accuracy, again.losses[-1])


def test_large_seeds_are_taken(few: DataSet) -> None:
    assert trained(SMALL, on_cpu(few), FAST, seed=2**64 + 5).losses[-1] > 0


@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize(("channels_last", "fused"), [(False, False), (True, False), (True, True)])
def test_every_numerics_trains(bfloat16: bool, channels_last: bool, fused: bool, few: DataSet) -> None:
    data = on_cpu(few, numerics=Numerics(bfloat16=bfloat16, channels_last=channels_last, fused=fused))
    plain = trained(SMALL, on_cpu(few), replace(FAST, epochs=1))

    assert trained(SMALL, data, replace(FAST, epochs=1)).losses[-1] == pytest.approx(plain.losses[-1], rel=0.05)


def up_then_down(done: float, warmup: float) -> float:
    """Straight from 0 to the peak and straight back to 0."""
    return min(done / warmup, (1 - done) / (1 - warmup))


def plain_loop(architecture: Architecture, data: DataSet, recipe: Recipe, seed: int) -> tuple[float, float]:
    """One epoch in the usual way, without augmentation: the mean loss, and the accuracy on fold 0."""
    parts = split(data.labels, 0)
    mean, deviation = torch.tensor(data.mean).view(1, -1, 1, 1), torch.tensor(data.deviation).view(1, -1, 1, 1)
    images = (torch.tensor(data.images) / 255 - mean) / deviation
    labels = torch.tensor(data.labels)
    torch.manual_seed(seed)
    network = build(architecture)
    weights, others = ([p for p in network.parameters() if (p.ndim > 1) is kind] for kind in (True, False))
    muon = Muon(weights, lr=recipe.peak, momentum=recipe.momentum)
    adam = torch.optim.Adam(others or [torch.zeros(1)], lr=recipe.other_peak)
    criterion = nn.CrossEntropyLoss(label_smoothing=recipe.smoothing)
    order = torch.tensor(parts.train)[torch.randperm(len(parts.train), generator=torch.Generator().manual_seed(seed))]
    steps = len(order) // recipe.batch
    losses = []
    for step in range(steps):
        rate = up_then_down((step + 1) / (steps + 1), recipe.warmup)
        muon.param_groups[0]["lr"] = recipe.peak * rate
        adam.param_groups[0]["lr"] = recipe.other_peak * rate
        places = order[step * recipe.batch : (step + 1) * recipe.batch]
        loss = criterion(network(images[places]), labels[places])
        network.zero_grad()
        loss.backward()
        muon.step()
        adam.step()
        losses.append(loss.item())
    network.eval()
    with torch.no_grad():
        right = network(images[parts.validation]).argmax(dim=1) == labels[parts.validation]
    return sum(losses) / steps, right.float().mean().item()


@pytest.mark.parametrize(
    "line", ["1x8x8-6c3pnr-P2-10c3p-G", "1x8x8-6c3brn-P2-F-10fb", "1x8x8-6c3nr-dw3p-5c1nr-P2-dw3-10c1-G"]
)
def test_an_epoch_is_that_of_a_plain_loop(line: str, digits: DataSet) -> None:
    recipe = Recipe(epochs=1, batch=50, augmentation=STILL)
    loss, accuracy = plain_loop(read(line), digits, recipe, seed=4)
    outcome = trained(read(line), on_cpu(digits), recipe, seed=4)

    assert outcome.losses[-1] == pytest.approx(loss, rel=1e-3)
    assert outcome.accuracy == pytest.approx(accuracy, abs=0.01)


def test_no_images_of_the_fold_are_trained_on(few: DataSet) -> None:
    data = on_cpu(few, fold=2)
    held_out = split(few.labels, 2)
    black = few.images.copy()
    black[held_out.validation] = 0
    other = on_cpu(replace(few, images=black), fold=2)

    assert trained(SMALL, data, FAST).losses[-1] == trained(SMALL, other, FAST).losses[-1]


def test_validation_images_are_those_of_the_fold_as_they_are(few: DataSet) -> None:
    for fold in range(FOLDS):
        data = on_cpu(few, fold)
        images, labels = (torch.cat(parts) for parts in zip(*data.held_out(), strict=True))
        places = split(few.labels, fold).validation
        expected = (few.images[places] / 255 - few.mean[0]) / few.deviation[0]

        torch.testing.assert_close(images, torch.tensor(expected, dtype=torch.float32), rtol=1e-4, atol=1e-4)
        assert labels.tolist() == few.labels[places].tolist()


def test_more_validation_images_than_a_batch_are_all_seen() -> None:
    labels = np.arange(9_000, dtype=np.int64) % 2
    data = on_cpu(
        make(
            "many",
            np.full((9_000, 1, 2, 2), 7, np.uint8) * (1 + labels[:, None, None, None].astype(np.uint8)),
            labels,
            "",
        )
    )

    assert sum(len(labels) for _, labels in data.held_out()) == 1_500


def test_an_epoch_shows_every_image_at_most_once_in_full_batches(few: DataSet) -> None:
    data = on_cpu(few)
    recipe = Recipe(epochs=1, batch=25, augmentation=STILL)
    generator = torch.Generator().manual_seed(0)
    shown = [images for images, _ in data.shuffled(recipe, generator)]
    rows = {image.numpy().round(3).tobytes() for image in torch.cat(shown)}

    assert [len(images) for images in shown] == [25, 25]  # of 60
    assert len(rows) == 50


def test_epochs_are_shuffled_apart(few: DataSet) -> None:
    data = on_cpu(few)
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.cat([labels for _, labels in data.shuffled(FAST, generator)]) for _ in range(2))

    assert not torch.equal(first, second)
    assert torch.equal(first.sort().values, second.sort().values)


@pytest.mark.parametrize(("images", "batch", "steps"), [(60, 12, 5), (60, 25, 2), (60, 128, 1), (60, 60, 1)])
def test_steps_per_epoch(images: int, batch: int, steps: int) -> None:
    assert steps_per_epoch(images, batch) == steps


def test_fewer_images_than_a_batch_are_one_step(few: DataSet) -> None:
    data = on_cpu(few)
    recipe = Recipe(epochs=1, batch=128)

    assert [len(images) for images, _ in data.shuffled(recipe, torch.Generator())] == [60]
    assert trained(SMALL, data, recipe).losses[-1] > 0


@pytest.mark.parametrize("architecture", [SMALL, WITHOUT_NORM])
def test_a_loss_that_is_no_number_is_a_failure(architecture: Architecture, few: DataSet) -> None:
    outcome = train(architecture, on_cpu(few), replace(FAST, peak=1e38), seed=0)

    assert isinstance(outcome, Failed)
    assert outcome.epochs == 2
    assert re.fullmatch("the training loss became (nan|inf)", outcome.reason)


@pytest.mark.parametrize("architecture", [SMALL, WITHOUT_NORM])
def test_a_network_that_puts_out_no_numbers_is_a_failure(architecture: Architecture, few: DataSet) -> None:
    """The loss of the only step is computed before the weights become huge."""
    outcome = train(architecture, on_cpu(few), Recipe(epochs=1, batch=128, peak=1e38), seed=0)

    assert outcome == Failed(epochs=1, reason="the trained network puts out values that are not finite")


def test_images_that_are_no_numbers_are_a_failure() -> None:
    black = make("black", np.zeros((24, 1, 8, 8), np.uint8), np.arange(24, dtype=np.int64) % 3, "")

    assert train(SMALL, on_cpu(black), FAST, seed=0) == Failed(epochs=2, reason="the training loss became nan")


def test_a_deadline_that_has_passed_is_a_failure(few: DataSet) -> None:
    outcome = train(SMALL, on_cpu(few), FAST, seed=0, deadline=time.monotonic() - 1)

    assert outcome == Failed(epochs=2, reason="timeout")


def test_a_deadline_far_away_changes_nothing(few: DataSet) -> None:
    outcome = train(SMALL, on_cpu(few), FAST, seed=0, deadline=time.monotonic() + 3_600)

    assert isinstance(outcome, Trained)
    assert outcome.losses[-1] == trained(SMALL, on_cpu(few), FAST).losses[-1]


@pytest.mark.parametrize("warmup", [0.1, 0.2, 0.5])
def test_the_learning_rate_climbs_to_its_peak_and_falls_to_nothing(warmup: float) -> None:
    rates = [triangle(step / 1000, warmup) for step in range(1001)]
    peak = rates.index(max(rates))

    assert rates[0] == rates[1000] == 0
    assert peak == round(1000 * warmup)
    assert rates[peak] == pytest.approx(1)
    assert rates == pytest.approx([up_then_down(step / 1000, warmup) for step in range(1001)])


def test_a_warm_up_can_last_to_the_end() -> None:
    assert triangle(1.0, warmup=1.0) == 0
    assert triangle(0.5, warmup=1.0) == 0.5


def test_read_only_arrays_are_taken_without_a_warning(few: DataSet, recwarn: pytest.WarningsRecorder) -> None:
    few.images.setflags(write=False)
    few.labels.setflags(write=False)
    before = few.images.copy()

    assert trained(SMALL, on_cpu(few), FAST).losses[-1] > 0
    assert np.array_equal(few.images, before)
    assert not recwarn.list


def test_colour_images_train() -> None:
    images = np.random.default_rng(0).integers(0, 256, (36, 3, 9, 7)).astype(np.uint8)
    data = make("colours", images, np.arange(36, dtype=np.int64) % 3, "")

    assert trained(read("3x9x7-4c3pnr-P2-3c3p-G"), on_cpu(data), FAST).epochs == 2


def test_the_random_state_outside_does_not_matter(few: DataSet) -> None:
    torch.manual_seed(1)
    first = trained(SMALL, on_cpu(few), FAST)
    torch.manual_seed(2)

    assert trained(SMALL, on_cpu(few), FAST).losses[-1] == first.losses[-1]


def test_weights_come_back_where_they_are_wanted(few: DataSet) -> None:
    plain = trained(SMALL, on_cpu(few), FAST)
    asked = train(SMALL, on_cpu(few), FAST, seed=0, wants_weights=True)
    assert isinstance(asked, Trained)
    assert asked.weights is not None
    assert unpack(asked.weights).keys() == build(SMALL).state_dict().keys()
    assert (plain.weights, asked.losses) == (None, plain.losses)
