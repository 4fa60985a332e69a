from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from space.building import build
from space.notation import read
from workers.course import Course, TrainingError
from workers.dataset import DataSet
from workers.kernels import Kernels
from workers.numerics import COMPILED, Numerics
from workers.plain_recipe import PlainRecipe, Plateau, StepDecay
from workers.plain_training import Pace, Validation, fit
from workers.recipe import Augmentation
from workers.training import Batches, batches

SMALL = "1x8x8-4c3pnr-P2-3c3p-G"
FAST = PlainRecipe(optimiser="adam", learning_rate=0.01, batch=16, epochs=2)


ENGINE = Numerics()


@pytest.fixture(autouse=True, params=[Numerics(), COMPILED], ids=["torch", "compiled"])
def every_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kernels: Kernels) -> None:
    """PyTorch's steps and whole compiled ones: what is asked of a training is asked of both."""
    monkeypatch.setitem(globals(), "ENGINE", request.param)


def on_cpu(data: DataSet, numerics: Numerics | None = None) -> Batches:
    return batches(data, 0, numerics or ENGINE, torch.device("cpu"))


def without_fold(data: DataSet) -> Batches:
    parts = on_cpu(data)
    return replace(parts, train=torch.cat([parts.train, parts.validation]), validation=parts.validation[:0])


def network(line: str = SMALL, seed: int = 3) -> nn.Sequential:
    torch.manual_seed(seed)
    return build(read(line))


def course(
    net: nn.Sequential, data: Batches, recipe: PlainRecipe, seed: int = 0, masks: Mapping[str, Tensor] | None = None
) -> Course:
    torch.manual_seed(seed)
    return fit(net, data, recipe, torch.Generator().manual_seed(seed), masks=masks)


def plain_loop(net: nn.Module, data: Batches, recipe: PlainRecipe, seed: int = 0) -> list[float]:
    """The same epochs in the usual way: no batches of our own, plain optimisers, channels first; the last losses."""
    mean_over_deviation, scale = data.shift, data.scale
    optimiser: torch.optim.Optimizer
    if recipe.optimiser == "adam":
        optimiser = torch.optim.Adam(net.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    else:
        optimiser = torch.optim.SGD(
            net.parameters(), recipe.learning_rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
    generator = torch.Generator().manual_seed(seed)
    net.train()
    losses: list[float] = []
    for epoch in range(recipe.epochs):
        if isinstance(recipe.schedule, StepDecay):
            rate = recipe.learning_rate * recipe.schedule.factor ** (epoch // recipe.schedule.every)
            optimiser.param_groups[0]["lr"] = rate
        order = data.train[torch.randperm(len(data.train), generator=generator)]
        losses = []
        for start in range(0, len(order), recipe.batch):
            places = order[start : start + recipe.batch]
            loss = nn.functional.cross_entropy(
                net(data.images[places].float() * scale - mean_over_deviation), data.labels[places]
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.item())
    return losses


@pytest.mark.parametrize(
    "recipe",
    [
        FAST,
        replace(FAST, weight_decay=0.1),
        replace(FAST, optimiser="sgd", momentum=0.9),
        replace(FAST, optimiser="sgd", learning_rate=0.5, epochs=3, schedule=StepDecay(factor=0.1, every=1)),
    ],
)
@pytest.mark.parametrize("line", [SMALL, "1x8x8-4c3br-6c3brn-P2-F-3fb"])
def test_a_training_is_that_of_a_plain_loop(line: str, recipe: PlainRecipe, few: DataSet) -> None:
    data = on_cpu(few)
    ours, usual = network(line), network(line)
    losses = plain_loop(usual, data, recipe)

    assert len(losses) == 4  # 60 images in batches of 16: the last has 12
    assert course(ours, data, recipe).losses[-1] == pytest.approx(sum(losses) / len(losses), rel=1e-3)
    for name, tensor in usual.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], tensor, rtol=2e-3, atol=2e-4)


def test_digits_are_learned(digits: DataSet) -> None:
    recipe = PlainRecipe(optimiser="adam", learning_rate=0.01, batch=32, epochs=6)
    outcome = course(network("1x8x8-12c3pnr-P2-16c3pnr-10c3p-G"), on_cpu(digits), recipe)

    assert outcome.accuracy is not None
    assert outcome.accuracy > 0.9
    assert outcome.epochs == 6


def test_the_accuracy_is_that_of_the_network_on_the_fold(few: DataSet) -> None:
    net, data = network(), on_cpu(few)
    outcome = course(net, data, FAST)
    images, labels = next(data.held_out())

    assert not net.training
    assert outcome.accuracy == (net(images).argmax(dim=1) == labels).sum().item() / 12


def test_without_a_fold_every_image_is_trained_on_and_nothing_validated(few: DataSet) -> None:
    recipe = replace(FAST, batch=72, epochs=1)
    outcome = course(network(), without_fold(few), recipe)
    every = (torch.tensor(few.images) / 255 - few.mean[0]) / few.deviation[0]
    expected = nn.functional.cross_entropy(network()(every), torch.tensor(few.labels)).item()

    assert outcome.accuracy is None
    assert outcome.losses[-1] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "recipe",
    [
        replace(FAST, early_stop=1),
        replace(FAST, restore_best=True),
        replace(FAST, schedule=Plateau(patience=1)),
    ],
)
def test_what_goes_by_validation_needs_a_fold(recipe: PlainRecipe, few: DataSet) -> None:
    with pytest.raises(ValueError, match="needs a fold held out"):
        fit(network(), without_fold(few), recipe, torch.Generator())


def test_validation_images_do_not_teach(few: DataSet) -> None:
    black = few.images.copy()
    data = on_cpu(few)
    black[data.validation] = 0
    other = on_cpu(replace(few, images=black))

    assert course(network(), data, FAST).losses[-1] == course(network(), other, FAST).losses[-1]


def test_the_seeds_give_the_result(few: DataSet) -> None:
    line = "1x8x8-4c3pnrd0.5-P2-3c3p-G"
    recipe = replace(FAST, augmentation=Augmentation())
    first, again, other = (course(network(line), on_cpu(few), recipe, seed).losses[-1] for seed in (5, 5, 6))

    assert first == again
    assert first != other


def test_augmentation_changes_what_is_seen(few: DataSet) -> None:
    one = replace(FAST, epochs=1)
    still = Augmentation(rotation=0, scale=0, shift=0, shear=0)
    plain, unmoved, moved = (
        course(network(), on_cpu(few), replace(one, augmentation=augmentation)).losses[-1]
        for augmentation in (None, still, replace(still, shift=0.3))
    )

    assert unmoved == pytest.approx(plain, rel=1e-4)
    assert moved != pytest.approx(plain, rel=1e-3)


@pytest.mark.parametrize("numerics", [Numerics(bfloat16=True), Numerics(channels_last=True)])
def test_the_numerics_of_other_trainings_do_not_matter(numerics: Numerics, few: DataSet) -> None:
    assert course(network(), on_cpu(few, numerics), FAST) == course(network(), on_cpu(few, Numerics()), FAST)


def test_a_single_image_that_is_left_is_no_step(few: DataSet) -> None:
    """A batch norm on one value a channel would end the training."""
    line = "1x8x8-3c8n-F"

    assert course(network(line), on_cpu(few), replace(FAST, batch=59)).epochs == 2


def test_the_first_of_the_best_epochs_is_given_back(few: DataSet) -> None:
    recipe = replace(FAST, epochs=6, batch=6, schedule=StepDecay(factor=300, every=4))  # spoils what it had learned
    data = on_cpu(few)
    networks = [network() for _ in range(recipe.epochs)]
    accuracies = [
        course(net, data, replace(recipe, epochs=epochs)).accuracy or 0.0 for epochs, net in enumerate(networks, 1)
    ]
    best = networks[accuracies.index(max(accuracies))]
    restored = network()
    found = course(restored, data, replace(recipe, restore_best=True))

    assert accuracies[0] < max(accuracies) > accuracies[-1]
    assert (found.accuracy, found.epochs) == (max(accuracies), recipe.epochs)
    for name, tensor in best.state_dict().items():
        assert torch.equal(restored.state_dict()[name], tensor)


def test_training_ends_when_validation_no_longer_improves(few: DataSet) -> None:
    still = replace(FAST, learning_rate=0.0, epochs=50, early_stop=3)

    assert course(network("1x8x8-3c3p-G"), on_cpu(few), still).epochs == 1 + 3


def test_masked_weights_stay_at_zero_and_the_others_learn(few: DataSet) -> None:
    net = network()
    mask = torch.ones(4, 1, 3, 3)
    mask[1:3] = 0
    before = net.get_parameter("0.weight").detach().clone()
    course(net, on_cpu(few), replace(FAST, weight_decay=0.01), masks={"0.weight": mask})
    after = net.get_parameter("0.weight")

    assert not after[1:3].any()
    assert (after[[0, 3]] != before[[0, 3]]).all()


def test_masks_hold_from_the_first_step(few: DataSet) -> None:
    """With one step an epoch, the loss is that of the network before it."""
    data, recipe = on_cpu(few), replace(FAST, batch=60, epochs=1)
    masked, emptied = network(), network()
    with torch.no_grad():
        emptied.get_parameter("0.weight").zero_()

    loss = course(masked, data, recipe, masks={"0.weight": torch.zeros(4, 1, 3, 3)}).losses[-1]
    assert loss == pytest.approx(course(emptied, data, recipe).losses[-1], rel=1e-5)


def test_a_deadline_that_has_passed_is_a_failure(few: DataSet) -> None:
    with pytest.raises(TrainingError, match=r"^timeout$"):
        fit(network(), on_cpu(few), FAST, torch.Generator(), deadline=time.monotonic() - 1)


def test_a_loss_that_is_no_number_is_a_failure(few: DataSet) -> None:
    with pytest.raises(TrainingError, match=r"^the training loss became (nan|inf)$"):
        fit(network("1x8x8-4c3pr-P2-F-3fb"), on_cpu(few), replace(FAST, learning_rate=1e30), torch.Generator())


def test_a_network_that_puts_out_no_numbers_is_a_failure(few: DataSet) -> None:
    """The loss of the only step is computed before the weights become huge."""
    recipe = replace(FAST, batch=60, epochs=1, learning_rate=1e38)
    with pytest.raises(TrainingError, match=r"^the trained network puts out values that are not finite$"):
        fit(network("1x8x8-4c3pr-P2-F-3fb"), on_cpu(few), recipe, torch.Generator())


def rates(recipe: PlainRecipe, accuracies: list[float]) -> list[float]:
    """The learning rate of each epoch after which validation has these accuracies."""
    pace, found = Pace(recipe), []
    for accuracy in accuracies:
        found.append(pace.rate)
        pace.tell(Validation(accuracy=accuracy, loss=1 - accuracy))
    return found


LONG = replace(FAST, learning_rate=0.8, epochs=100)


def test_a_learning_rate_without_a_schedule_stays() -> None:
    assert rates(LONG, [0.5] * 5) == [0.8] * 5


def test_steps_of_the_learning_rate_end_at_its_floor() -> None:
    recipe = replace(LONG, schedule=StepDecay(factor=0.5, every=2, floor=0.15))

    assert rates(recipe, [0.5] * 8) == [0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.15, 0.15]


def test_a_plateau_halves_the_learning_rate_again_and_again() -> None:
    recipe = replace(LONG, schedule=Plateau(patience=2))

    assert rates(recipe, [0.5] * 6) == [0.8, 0.8, 0.8, 0.4, 0.4, 0.2]


def test_an_improvement_ends_a_plateau_unless_it_is_too_small() -> None:
    recipe = replace(LONG, schedule=Plateau(patience=2, least=0.01))

    assert rates(recipe, [0.5, 0.5, 0.52, 0.52, 0.52, 0.5]) == [0.8, 0.8, 0.8, 0.8, 0.8, 0.4]
    assert rates(recipe, [0.5, 0.5, 0.505, 0.505]) == [0.8, 0.8, 0.8, 0.4]


def test_the_loss_improves_when_it_falls() -> None:
    pace = Pace(replace(LONG, measure="loss", early_stop=2))
    for loss, is_best, over in ((0.5, True, False), (0.4, True, False), (0.6, False, False), (0.4, False, True)):
        pace.tell(Validation(accuracy=0.9, loss=loss))
        assert (pace.is_best, pace.over) == (is_best, over)


def test_validation_that_is_no_number_is_no_improvement() -> None:
    pace = Pace(replace(LONG, early_stop=2))
    for accuracy, over in ((0.5, False), (math.nan, False), (math.nan, True)):
        pace.tell(Validation(accuracy=accuracy, loss=math.nan))
        assert pace.over == over


def test_the_last_epoch_is_the_last() -> None:
    pace = Pace(replace(LONG, epochs=2))
    pace.tell(None)
    assert not pace.over
    pace.tell(None)
    assert pace.over
    assert pace.epochs == 2
