"""Static steps, as they stand, against the ordinary training: the same batches, maps and results to rounding."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from space.building import build
from space.notation import read
from workers import device_training, training
from workers.course import Course, TrainingError
from workers.dataset import DataSet, make
from workers.feed import IMAGES, Feed, draw
from workers.numerics import Numerics
from workers.recipe import Augmentation, Recipe
from workers.static_step import StaticCheck, StaticStep
from workers.training import Batches, batches, begin

LINES = (
    "1x8x8-6c3pnr-P2-10c3p-G",
    "1x8x8-6c3brn-P2-F-10fb",
    "1x8x8-6c5pr-P2-F-12fb-10f",
    "1x8x8-20c1-3c3-G-10f",
    "1x8x8-6c3nr-dw3p-5c1nr-dw3-10c1-G",
)
SMALL = "1x8x8-4c3pnr-P2-3c3p-G"
FAST = Recipe(epochs=2, batch=12)


def on_cpu(data: DataSet, fold: int | None = 0, numerics: Numerics | None = None) -> Batches:
    return batches(data, fold, numerics or Numerics(), torch.device("cpu"))


def trained(
    line: str, data: Batches, recipe: Recipe, masks: Mapping[str, Tensor] | None = None, *, static: bool, seed: int = 0
) -> tuple[Course, nn.Sequential]:
    network, generator = begin(read(line), data, seed)
    fit = device_training.fit if static else training.fit
    return fit(network, data, recipe, generator, masks=masks), network


def assert_alike(one: nn.Module, other: nn.Module, tolerance: float = 1e-3) -> None:
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("channels_last", [False, True])
def test_an_epoch_is_that_of_the_ordinary_training(line: str, channels_last: bool, digits: DataSet) -> None:
    data = on_cpu(digits, numerics=Numerics(channels_last=channels_last))
    recipe = Recipe(epochs=1, batch=50)
    (expected, network), (found, mine) = (
        trained(line, data, recipe, static=static, seed=4) for static in (False, True)
    )

    assert found.losses == pytest.approx(expected.losses, rel=1e-4)
    assert found.accuracy == pytest.approx(expected.accuracy, abs=0.01)
    assert_alike(network, mine)


def test_so_is_a_longer_training_without_augmentation(few: DataSet) -> None:
    data = on_cpu(few)
    recipe = replace(FAST, epochs=4, augmentation=Augmentation(rotation=0, scale=0, shift=0, shear=0))
    expected, found = (trained(SMALL, data, recipe, static=static)[0] for static in (False, True))

    assert found.losses == pytest.approx(expected.losses, rel=1e-3)
    assert found.accuracy == expected.accuracy


def test_bfloat16_is_near(few: DataSet) -> None:
    data = on_cpu(few, numerics=Numerics(bfloat16=True))
    expected, found = (trained(SMALL, data, FAST, static=static)[0] for static in (False, True))
    assert found.losses == pytest.approx(expected.losses, rel=0.02)


def test_fewer_images_than_a_batch_are_one_step_and_no_fold_is_validated(few: DataSet) -> None:
    data = on_cpu(few, fold=None)
    expected, found = (trained(SMALL, data, Recipe(epochs=3), static=static)[0] for static in (False, True))

    assert found.losses == pytest.approx(expected.losses, rel=1e-4)
    assert found.accuracy is None


def test_colour_images_of_more_than_one_stretch_are_trained_and_validated() -> None:
    count = 2 * IMAGES
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 3, 3, 2), generator=generator, dtype=torch.uint8).numpy()
    data = on_cpu(make("colours", images, torch.arange(count).numpy() % 3, ""))
    recipe = Recipe(epochs=1, batch=500)
    line = "3x3x2-4c2nr-G-3f"
    (expected, network), (found, mine) = (trained(line, data, recipe, static=static) for static in (False, True))

    assert found.losses == pytest.approx(expected.losses, rel=1e-4)
    assert found.accuracy == pytest.approx(expected.accuracy, abs=0.005)
    assert_alike(network, mine)


def test_an_epoch_takes_from_the_generator_what_the_ordinary_one_takes(few: DataSet) -> None:
    data = on_cpu(few)
    generators = [torch.Generator().manual_seed(7) for _ in range(2)]
    labels = torch.cat([labels for _, labels in data.shuffled(FAST, generators[0])])
    epoch = draw(data.train, FAST, generators[1], 0)

    assert torch.equal(data.labels[epoch.places], labels)
    assert torch.equal(generators[0].get_state(), generators[1].get_state())


def test_a_network_trained_before_leaves_no_trace(few: DataSet) -> None:
    data = on_cpu(few)
    first, other, again = (trained(SMALL, data, FAST, static=True, seed=seed)[0] for seed in (5, 6, 5))

    assert first == again
    assert first.losses != other.losses


def test_runs_before_a_capture_leave_no_trace(few: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, but for the graph: the work itself stands in for what replays it."""

    def captured(work: Callable[[], None], before: Callable[[], None], beside: object) -> SimpleNamespace:
        for _ in range(3):
            before()
            work()
        return SimpleNamespace(replay=work)

    monkeypatch.setattr(device_training, "captured", captured)
    data = on_cpu(few)
    network, _ = begin(read(SMALL), data, 0)
    found = []
    for capture in (False, True):
        steps = device_training.Prepared(network, data, FAST)
        assert not capture or steps.capture() > 0
        steps.begin(network, {})
        steps.launch(data, draw(data.train, FAST, torch.Generator().manual_seed(1), 0))
        found.append((steps.total.item(), steps.accuracy(data)))
    assert found[0] == found[1]


def test_a_failure_leaves_no_trace_either(few: DataSet) -> None:
    data = on_cpu(few)
    expected = trained(SMALL, data, FAST, static=True)[0]
    broken, generator = begin(read(SMALL), data, 0)
    nn.init.constant_(next(broken.parameters()), torch.nan)
    with pytest.raises(TrainingError):
        device_training.fit(broken, data, FAST, generator)

    assert trained(SMALL, data, FAST, static=True)[0] == expected


def test_the_steps_of_another_length_are_the_same_steps(few: DataSet) -> None:
    """A rung of more epochs has another schedule, but no work of its own."""
    data = on_cpu(few)
    network, _ = begin(read(SMALL), data, 0)
    one, other = (device_training.prepared(network, data, replace(FAST, epochs=n), masked=False) for n in (1, 4))
    masked = device_training.prepared(network, data, FAST, masked=True)

    assert one is other
    assert masked is not one


def test_masked_weights_stay_at_zero(few: DataSet) -> None:
    data = on_cpu(few)
    masks = {"0.weight": (torch.arange(36).view(4, 1, 3, 3) % 2).float()}
    (expected, network), (found, mine) = (trained(SMALL, data, FAST, masks, static=static) for static in (False, True))

    weight = mine.get_parameter("0.weight")
    assert (weight[masks["0.weight"] == 0] == 0).all()
    assert (weight[masks["0.weight"] == 1] != 0).all()
    assert found.losses == pytest.approx(expected.losses, rel=1e-3)
    assert_alike(network, mine)


def test_other_masks_take_the_place_of_earlier_ones(few: DataSet) -> None:
    data = on_cpu(few)
    for name, other in (("0.weight", "4.weight"), ("4.weight", "0.weight")):
        _, network = trained(SMALL, data, FAST, {name: torch.zeros(())}, static=True)
        assert (network.get_parameter(name) == 0).all()
        assert (network.get_parameter(other) != 0).any()


def test_dropout_follows_the_seed(few: DataSet) -> None:
    line = "1x8x8-4c3pnrd0.5-P2-3c3p-G"
    first, again = (trained(line, on_cpu(few), FAST, static=True, seed=5)[0] for _ in range(2))
    assert first == again


def test_a_loss_that_is_no_number_is_a_failure(few: DataSet) -> None:
    with pytest.raises(TrainingError, match=r"^the training loss became (nan|inf)$"):
        trained(SMALL, on_cpu(few), replace(FAST, peak=1e38), static=True)


def test_a_network_that_puts_out_no_numbers_is_a_failure(few: DataSet) -> None:
    """The loss of the only step is computed before the weights become huge."""
    with pytest.raises(TrainingError, match="puts out values that are not finite"):
        trained(SMALL, on_cpu(few), Recipe(epochs=1, batch=128, peak=1e38), static=True)


def test_a_deadline_that_has_passed_is_a_failure(few: DataSet) -> None:
    network, generator = begin(read(SMALL), on_cpu(few), 0)
    with pytest.raises(TrainingError, match=r"^timeout$"):
        device_training.fit(network, on_cpu(few), FAST, generator, deadline=time.monotonic() - 1)


def test_only_the_network_that_is_handed_over_is_changed(few: DataSet) -> None:
    data = on_cpu(few)
    _, first = trained(SMALL, data, FAST, static=True)
    before = {name: tensor.clone() for name, tensor in first.state_dict().items()}
    trained(SMALL, data, FAST, static=True, seed=1)

    assert all(torch.equal(tensor, before[name]) for name, tensor in first.state_dict().items())


def test_a_step_reads_the_next_batch_and_its_rates_from_the_feed() -> None:
    """What a graph replays: the same calls, with nothing that Python counts."""
    torch.manual_seed(0)
    feed = Feed(2, 4, (1, 8, 8), (3,), "cpu")
    images, answers = torch.randn(8, 1, 8, 8), torch.eye(3)[torch.arange(8) % 3]
    network = build(read(SMALL))
    step = StaticStep(network, feed, FAST, Numerics(), masked=False)
    feed.fill(images, answers, torch.tensor([[0.0, 0.0], [0.1, 0.0]]))
    weight = network.get_parameter("0.weight")
    start = weight.detach().clone()
    step()
    assert torch.equal(weight, start)
    step()
    assert not torch.equal(weight, start)
    assert step.total > 0


def test_images_that_do_not_count_are_not_right() -> None:
    feed = Feed(1, 4, (1, 8, 8), (), "cpu")
    network = build(read(SMALL)).eval()
    images = torch.randn(4, 1, 8, 8)
    found = network(images).argmax(dim=1)
    check = StaticCheck(network, feed, Numerics())
    check.reset()
    feed.fill(images, torch.tensor([int(found[0]), int(found[1]), -1, -1]))
    check()
    assert check.accuracy(2) == 1
