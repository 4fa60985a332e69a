from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from search import demand
from search.demand import with_demand
from search.site import Site
from workers.dataset import DataSet, make
from workers.memory import training_bytes

GIB = 2**30
DATA: DataSet = make("grey", np.full((20, 1, 8, 8), 9, np.uint8), np.arange(20, dtype=np.int64) % 2, "")


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """As if there were a GPU on which half as many trainings as fit are best; the ceilings that were asked about."""
    ceilings: list[int] = []

    def most_productive(cache: object, key: str, ceiling: int, numerics: object) -> int:
        ceilings.append(ceiling)
        return ceiling // 2

    monkeypatch.setattr(demand, "device", lambda: torch.device("cuda"))
    monkeypatch.setattr(demand, "most_productive", most_productive)
    monkeypatch.setattr(demand, "gpu_key", lambda: "a GPU")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(32)))
    memory: Callable[[int], SimpleNamespace] = lambda _: SimpleNamespace(total_memory=80 * GIB)  # noqa: E731
    monkeypatch.setattr(torch.cuda, "get_device_properties", memory)
    monkeypatch.setattr(demand, "fastest", lambda _: None)
    return ceilings


def test_a_site_is_told_what_a_training_takes() -> None:
    site = with_demand(Site(workers=3), DATA, 16)
    assert (site.gpu_bytes, site.shared_bytes, site.workers) == (training_bytes(DATA, 16), DATA.images.nbytes, 3)


def test_without_a_gpu_nothing_is_measured() -> None:
    assert with_demand(Site(), DATA, 16).sharing is None


def test_on_a_gpu_it_is_measured_up_to_what_fits(on_gpu: list[int]) -> None:
    assert with_demand(Site(), DATA, 16).sharing == 4
    assert on_gpu == [8]


@pytest.mark.parametrize("site", [Site(address="head:6379"), Site(gpus=0.5), Site(gpus=0.0)])
def test_what_the_user_says_or_another_machine_does_is_not_measured_here(site: Site, on_gpu: list[int]) -> None:
    assert with_demand(site, DATA, 16).sharing is None
    assert on_gpu == []
