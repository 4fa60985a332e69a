"""A small network that has learnt digits, as an export is given it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from search.export.exportable import Exportable
from search.export.preprocessing import Preprocess
from space.building import build
from space.candidate import Candidate, Confirmation, State, Verification
from space.notation import read
from tests.search.export.networks import LINE, Make
from workers import sources
from workers.dataset import DataSet


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads wait for each other on a busy machine, ten times as long as they compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def training(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return sources.load("digits", tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return sources.load("digits", tmp_path_factory.mktemp("data"), "test")


@pytest.fixture(scope="session")
def trained(training: DataSet) -> Mapping[str, Tensor]:
    """Weights of LINE after some epochs on real images."""
    torch.manual_seed(0)
    network = build(read(LINE)).train()
    preprocess = Preprocess(training.mean, training.deviation)
    images, labels = preprocess(torch.tensor(training.images)), torch.tensor(training.labels)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(12):
        for places in torch.split(torch.randperm(len(labels)), 64):
            loss = nn.functional.cross_entropy(network(images[places]), labels[places])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return network.state_dict()


@pytest.fixture(scope="session")
def make(training: DataSet) -> Make:
    """An Exportable of a line and its weights, by default fresh ones; more of its fields by name."""

    def exportable(line: str, state: Mapping[str, Tensor] | None = None, **fields: object) -> Exportable:
        totals = read(line).totals
        runs = tuple(
            Verification(place=place, seed=100 + place, accuracy=accuracy, confusion=(), epochs=12, seconds=1.5)
            for place, accuracy in enumerate((0.97, 0.95, 0.96))
        )
        candidate = Candidate(
            number=7,
            state=State.COMPLETE,
            origin="sampler",
            line=line,
            parameters=totals.parameters,
            macs=totals.macs,
            peak_activation_bytes=totals.peak_activation_bytes,
            rungs={1: 0.8, 4: 0.9, 16: 0.95},
            confirmations=(Confirmation(fold=1, seed=5, accuracy=0.94, seconds=1.0),),
            verifications=runs,
        )
        found = Exportable(
            study="digits-5000-0.9",
            settings={"dataset": "digits", "budgets": [5000], "target": 0.9},
            conditions={"torch": "2"},
            candidate=candidate,
            verification=runs[0],
            state=build(read(line)).state_dict() if state is None else state,
            dataset="digits",
            checksum=training.checksum,
            mean=training.mean,
            deviation=training.deviation,
        )
        return replace(found, **fields)  # type: ignore[arg-type]

    return exportable


@pytest.fixture(scope="session")
def model(make: Make, trained: Mapping[str, Tensor]) -> Exportable:
    return make(LINE, trained)
