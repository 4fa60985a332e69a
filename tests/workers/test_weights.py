from __future__ import annotations

import pytest
import torch

from space.building import build
from space.notation import read
from workers.weights import pack, unpack


def test_weights_come_back_as_they_were_whatever_their_layout() -> None:
    network = build(read("1x8x8-4c3bnr-10c1-G")).to(memory_format=torch.channels_last)
    found = unpack(pack(network.state_dict()))
    assert found.keys() == network.state_dict().keys()
    for name, tensor in network.state_dict().items():
        assert torch.equal(found[name], tensor)


def test_other_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="not a network's weights"):
        unpack(b"\x80\x04pickle")
