"""CUDA graphs against the same steps as they stand. These run wherever there is a GPU."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from space.notation import read
from workers import device_training, numerics, training
from workers.course import Course, TrainingError
from workers.dataset import DataSet
from workers.device_training import Prepared
from workers.feed import draw
from workers.graphs import captured
from workers.numerics import Numerics
from workers.recipe import Recipe
from workers.training import Batches, batches, begin

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU that torch can use"),
    pytest.mark.filterwarnings("ignore:Attempting to run cuBLAS"),  # said once by autograd's own thread
]

SMALL = "1x8x8-4c3pnr-P2-3c3p-G"
LINES = (SMALL, "1x8x8-6c3brn-P2-F-10fb", "1x8x8-6c5pr-P2-F-12fb-10f", "1x8x8-6c3nr-dw3p-5c1nr-dw3-10c1-G")
FAST = Recipe(epochs=2, batch=12)
OPTIONS = [Numerics(bfloat16, last) for bfloat16 in (False, True) for last in (False, True)]


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions in float32 proper, so that they can be compared."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def on(device: str, data: DataSet, choice: Numerics | None = None) -> Batches:
    return batches(data, 0, choice or Numerics(), torch.device(device))


def trained(line: str, data: Batches, recipe: Recipe = FAST, seed: int = 0) -> tuple[Course, nn.Sequential]:
    network, generator = begin(read(line), data, seed)
    return training.fit(network, data, recipe, generator), network


def test_a_graph_replays_what_was_captured_and_nothing_else() -> None:
    counter, seen = torch.zeros(1, device="cuda"), torch.zeros(1, device="cuda")

    def work() -> None:
        counter.add_(1)
        seen.copy_(counter * 10)

    graph = captured(work, counter.zero_)
    counter.zero_()
    assert counter.item() == 0
    for _ in range(3):
        graph.replay()
    assert (counter.item(), seen.item()) == (3, 30)


def test_random_numbers_go_on_as_without_a_capture_and_differ_between_replays() -> None:
    drawn = torch.zeros(4, device="cuda")
    torch.manual_seed(3)
    expected = torch.rand(4, device="cuda")
    torch.manual_seed(3)
    graph = captured(lambda: drawn.uniform_())
    assert torch.equal(torch.rand(4, device="cuda"), expected)
    graph.replay()
    first = drawn.clone()
    graph.replay()
    assert not torch.equal(first, drawn)


@pytest.mark.parametrize("line", LINES)
def test_a_training_as_graphs_is_that_of_the_cpu(line: str, digits: DataSet) -> None:
    recipe = Recipe(epochs=1, batch=50)
    (expected, network), (found, mine) = (trained(line, on(device, digits), recipe) for device in ("cpu", "cuda"))

    assert found.losses == pytest.approx(expected.losses, rel=1e-2)
    assert found.accuracy == pytest.approx(expected.accuracy, abs=0.03)
    assert all(tensor.device.type == "cuda" for tensor in mine.state_dict().values())
    assert network.state_dict().keys() == mine.state_dict().keys()


@pytest.mark.parametrize("choice", OPTIONS, ids=str)
def test_replayed_steps_are_those_that_run_as_they_stand(choice: Numerics, few: DataSet) -> None:
    data = on("cuda", few, choice)
    network, _ = begin(read(SMALL), data, 0)
    totals = []
    for as_graph in (False, True):
        steps = Prepared(network, data, FAST)
        if as_graph:
            assert steps.capture() > 0
        steps.begin(network, {})
        generator = torch.Generator().manual_seed(1)
        for number in range(2):
            steps.launch(data, draw(data.train, FAST, generator, number))
            totals.append(steps.total.item())
        assert 0 <= steps.accuracy(data) <= 1
    assert totals[2:] == pytest.approx(totals[:2], rel=0.02)


def test_networks_by_turns_do_not_disturb_each_other(few: DataSet) -> None:
    """Their graphs share memory, buffers and, with dropout, a generator."""
    data = on("cuda", few)
    lines = [f"1x8x8-{filters}c3pnrd0.2-P2-3c3p-G" for filters in range(2, 9)]  # more than are kept
    first = [trained(line, data)[0] for line in lines]
    again = [trained(line, data)[0] for line in reversed(lines)]
    for one, other in zip(first, reversed(again), strict=True):
        assert other.losses == pytest.approx(one.losses, rel=1e-3)


def test_a_captured_network_is_used_again(few: DataSet) -> None:
    data = on("cuda", few)
    network, _ = begin(read(SMALL), data, 0)
    one, other = (device_training.prepared(network, data, replace(FAST, epochs=n), masked=False) for n in (1, 4))
    assert one is other


def test_masked_weights_stay_at_zero(few: DataSet) -> None:
    data = on("cuda", few)
    network, generator = begin(read(SMALL), data, 0)
    mask = (torch.arange(36).view(4, 1, 3, 3) % 2).float()
    training.fit(network, data, FAST, generator, masks={"0.weight": mask})
    assert (network.get_parameter("0.weight").cpu()[mask == 0] == 0).all()


def test_a_loss_that_is_no_number_is_a_failure_and_the_next_training_is_none(few: DataSet) -> None:
    data = on("cuda", few)
    with pytest.raises(TrainingError, match=r"^the training loss became (nan|inf)$"):
        trained(SMALL, data, replace(FAST, peak=1e38))
    assert trained(SMALL, data)[0].losses[-1] > 0


def test_the_fastest_numerics_are_measured_with_graphs() -> None:
    assert numerics.measure() in OPTIONS
