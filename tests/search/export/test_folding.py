from __future__ import annotations

import torch
from hypothesis import given
from torch import nn

from search.export.exportable import Exportable
from search.export.folding import fold
from tests.search.export.networks import assert_alike, exportables, noise
from tests.space.strategies import PROPERTY


@PROPERTY
@given(model=exportables())
def test_a_folded_network_is_the_same_function_without_what_inference_does_not_need(model: Exportable) -> None:
    network = model.network()
    images = model.preprocess(torch.tensor(noise(model, 3)))
    folded = fold(network)
    with torch.no_grad():
        assert_alike(folded(images).numpy(), network(images).numpy())
    assert not any(isinstance(module, nn.Dropout | nn.BatchNorm2d) for module in folded)


@PROPERTY
@given(model=exportables())
def test_folding_leaves_the_network_as_it_was(model: Exportable) -> None:
    network = model.network()
    fold(network)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, model.state[name])
