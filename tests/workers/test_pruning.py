from __future__ import annotations

from collections.abc import Iterable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from space.architecture import Architecture
from space.building import build
from space.layers import BatchNorm, Conv
from space.notation import read
from space.slimming import Kept, slim, slim_to
from tests.space.strategies import PROPERTY, architectures
from tests.space.test_slimming import some_filters
from tests.workers.slim_weights import flows, slim_weights
from workers.dataset import DataSet
from workers.pruning import Masks, filter_scores, global_masks, keep_per_round, nonzero

ARTICLE = read("1x28x28-4c3brn-8c3brn-P2-16c3brnd0.1-16c3brnd0.1-10c3brnd0.1-G")
"""The network that its authors pruned from 5,382 to 2,471 parameters."""
FLATTENED = read("1x8x8-6c3bnr-P2-5c2nr-Fn-12fb-10fb")


def kept_of(masks: Masks) -> int:
    return sum(int(mask.sum()) for mask in masks.values())


@pytest.mark.parametrize(("keep", "weights", "parameters"), [(0.4423, 2309, 2471), (0.44, 2297, 2459)])
def test_two_rounds_leave_what_they_left_in_the_article(keep: float, weights: int, parameters: int) -> None:
    network, share = build(ARTICLE), keep_per_round(keep, 2)
    masks = global_masks(network, share, global_masks(network, share))

    assert sum(mask.numel() for mask in masks.values()) == 5220
    assert kept_of(masks) == weights
    masked = {name: tensor * masks[name] if name in masks else tensor for name, tensor in network.state_dict().items()}
    assert nonzero(ARTICLE, masked) == parameters


def test_without_masks_all_parameters_are_left() -> None:
    assert nonzero(ARTICLE, build(ARTICLE).state_dict()) == 5382


def test_the_rounds_together_keep_what_was_asked_for() -> None:
    assert keep_per_round(0.44, 1) == 0.44
    assert keep_per_round(0.44, 2) ** 2 == pytest.approx(0.44)
    assert keep_per_round(1.0, 7) == 1.0


@pytest.mark.parametrize(
    ("keep", "rounds", "message"),
    [
        (0.0, 2, r"^the share of weights to keep must be above 0 and at most 1, but got 0.0$"),
        (1.01, 2, r"at most 1, but got 1.01$"),
        (float("nan"), 2, r"but got nan$"),
        (0.5, 0, r"^rounds of pruning must be at least 1, but got 0$"),
    ],
)
def test_shares_and_rounds_that_make_no_sense_are_refused(keep: float, rounds: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        keep_per_round(keep, rounds)


def test_only_weights_of_convolutions_are_pruned() -> None:
    network = build(FLATTENED)
    masks = global_masks(network, 0.5)

    assert masks.keys() == {"0.weight", "4.weight"}
    for name, mask in masks.items():
        assert mask.dtype == torch.float32
        assert mask.shape == network.get_parameter(name).shape
        assert set(mask.flatten().tolist()) <= {0.0, 1.0}


@settings(PROPERTY, max_examples=40)
@given(architectures(), st.floats(0.01, 1), st.integers(1, 4), st.booleans())
def test_each_round_keeps_the_largest_of_what_is_left(
    architecture: Architecture, keep: float, rounds: int, coarse: bool
) -> None:
    """Also where many weights are equal."""
    network = build(architecture)
    if coarse:
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.copy_((parameter * 4).round())
    sizes = [mask.numel() for mask in global_masks(network, 1.0).values()]
    before, masks = torch.ones(sum(sizes)), None
    magnitudes = flat(module.weight for module in network if isinstance(module, nn.Conv2d)).abs()
    for _ in range(rounds):
        masks = global_masks(network, keep, masks)
        after = flat(masks.values())
        wanted = int(keep * int(before.sum()) + 0.5)

        assert int(after.sum()) == wanted
        assert bool((after <= before).all())
        gone = magnitudes[(before == 1) & (after == 0)]
        assert not len(gone) or not wanted or gone.max() <= magnitudes[after == 1].min()
        before = after


def flat(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([torch.empty(0), *(tensor.detach().flatten() for tensor in tensors)])


def test_of_equal_weights_the_first_stay() -> None:
    network = build(read("1x4x4-2c2-2c1-G"))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(-0.5)
    masks = global_masks(network, 0.5)

    assert masks["0.weight"].flatten().tolist() == [1, 1, 1, 1, 1, 1, 0, 0]
    assert masks["1.weight"].flatten().tolist() == [0, 0, 0, 0]


def test_a_pruned_weight_stays_pruned_however_it_has_grown() -> None:
    network = build(ARTICLE)
    first = global_masks(network, 0.5)
    with torch.no_grad():
        for name, mask in first.items():
            network.get_parameter(name).copy_((1 - mask) * 100 + mask * network.get_parameter(name))
    second = global_masks(network, 0.5, first)

    assert kept_of(second) == 1305
    assert all(bool((second[name] <= first[name]).all()) for name in first)


def test_either_memory_layout_gives_the_same_masks() -> None:
    network = build(ARTICLE)
    first = global_masks(network, 0.3)
    second = global_masks(network.to(memory_format=torch.channels_last), 0.3)

    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_network_without_convolutions_has_nothing_to_prune() -> None:
    assert global_masks(build(read("1x4x4-F-10fb")), 0.5) == {}


def shaken(architecture: Architecture) -> nn.Sequential:
    """A network as a training leaves it: nothing is 0 or 1 any more, and the batch norms have seen images."""
    network = build(architecture).eval()
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2)
            elif tensor.ndim == 1:
                tensor.normal_()
    return network


@st.composite
def slimmed(draw: st.DrawFn) -> tuple[Architecture, Kept]:
    architecture = draw(architectures())
    return architecture, draw(some_filters(architecture))


def kill(network: nn.Sequential, architecture: Architecture, kept: Kept) -> None:
    """Make all that belongs to the filters that are not kept 0."""
    with torch.no_grad():
        for module, layer, flow in zip(network, architecture.layers, flows(architecture, kept), strict=True):
            if isinstance(layer, (Conv, BatchNorm)):
                for parameter in module.parameters():
                    dead = [place for place in range(len(parameter)) if place not in flow.outputs]
                    parameter[dead] = 0


@settings(PROPERTY, max_examples=60)
@given(slimmed(), st.integers(0, 2**31))
def test_without_its_dead_filters_a_network_puts_out_the_same(drawn: tuple[Architecture, Kept], seed: int) -> None:
    architecture, kept = drawn
    torch.manual_seed(seed)
    large = shaken(architecture)
    kill(large, architecture, kept)
    small = build(slim(architecture, kept)).eval()
    small.load_state_dict(slim_weights(architecture, large.state_dict(), kept))
    images = torch.rand(4, *architecture.input)

    torch.testing.assert_close(small(images), large(images), rtol=1e-4, atol=1e-4)


@settings(PROPERTY, max_examples=40)
@given(slimmed())
def test_a_slim_network_has_the_parameters_that_were_counted(drawn: tuple[Architecture, Kept]) -> None:
    architecture, kept = drawn
    network, slimmer = build(architecture), slim(architecture, kept)
    weights = slim_weights(architecture, network.state_dict(), kept)

    assert slimmer.totals.parameters == sum(weights[name].numel() for name, _ in network.named_parameters())


def test_a_filter_is_worth_the_deviation_of_its_map() -> None:
    """With the deviations of the maps on images that the batch norms have seen."""
    architecture = read("1x8x8-5c3rn-P2-4c2nrn-8c1-Fn-10fb")
    torch.manual_seed(1)
    network = shaken(architecture).train()
    with torch.no_grad():
        network.get_parameter("0.weight")[3] = -1  # never more than 0 and no bias: its map is the same for every image
        for module in network:
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
    images, maps = torch.rand(64, 1, 8, 8), []
    with torch.no_grad():
        for module in network:
            images = module(images)
            maps.append(images.transpose(0, 1).flatten(1).std(dim=1).tolist())
    scores = filter_scores(architecture, network.state_dict())

    assert [len(worth) for worth in scores] == [5, 4, 8]
    assert scores[0] == pytest.approx(maps[2], rel=1e-2)
    assert scores[1] == pytest.approx(maps[7], rel=1e-2)
    assert scores[0][3] == 0


def test_without_a_batch_norm_a_filter_is_worth_its_weights() -> None:
    architecture = read("1x4x4-3c2r-2c1-G")
    state = {"0.weight": torch.tensor([1.0, -2, 3, -4] * 3).view(3, 1, 2, 2), "2.weight": torch.ones(2, 3, 1, 1)}
    state["0.weight"][1] *= 0.5

    assert filter_scores(architecture, state) == [[10, 5, 10], [3, 3]]


def test_filters_without_use_are_the_ones_that_go(digits: DataSet) -> None:
    """A network's filters, and as many again that do nothing: slimming finds the network."""
    architecture = read("1x8x8-8c3nr-P2-12c3nr-10c1-G")
    useful: Kept = ((0, 2, 5, 6), (1, 3, 4, 8, 9, 11), tuple(range(10)))
    torch.manual_seed(0)
    network = shaken(architecture)
    kill(network, architecture, useful)
    small, kept = slim_to(
        architecture, filter_scores(architecture, network.state_dict()), slim(architecture, useful).totals.parameters
    )
    slimmed_network = build(small).eval()
    slimmed_network.load_state_dict(slim_weights(architecture, network.state_dict(), kept))
    images = torch.from_numpy(digits.images[:200]) / 255

    assert kept == useful
    torch.testing.assert_close(slimmed_network(images), network(images), rtol=1e-4, atol=1e-5)
