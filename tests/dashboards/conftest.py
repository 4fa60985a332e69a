"""A study's candidates in every state."""

from __future__ import annotations

import pytest

from space.candidate import Candidate, Confirmation, State

LINE = "1x8x8-4c3nr-P2-10c1-G"


def _confirmation(fold: int, accuracy: float) -> Confirmation:
    return Confirmation(fold=fold, seed=fold, accuracy=accuracy, seconds=1.0)


@pytest.fixture
def candidates() -> list[Candidate]:
    return [
        Candidate(number=0, state=State.OVER_BUDGET, origin="sampler", line=LINE, parameters=12_345, reason="over"),
        Candidate(number=1, state=State.PRUNED, origin="sampler", line=LINE, parameters=900, rungs={1: 0.5}),
        Candidate(number=2, state=State.PRUNED, origin="sampler", line=LINE, parameters=800, rungs={1: 0.6, 4: 0.7}),
        Candidate(
            number=3,
            state=State.COMPLETE,
            origin="published: article-2",
            line=LINE,
            parameters=700,
            macs=1234,
            rungs={1: 0.6, 4: 0.8, 16: 0.92},
            confirmations=(_confirmation(1, 0.91), _confirmation(2, 0.93)),
        ),
        Candidate(
            number=4,
            state=State.COMPLETE,
            origin="sampler",
            line=LINE,
            parameters=600,
            rungs={1: 0.7, 4: 0.8, 16: 0.95},
        ),
        Candidate(number=5, state=State.FAILED, origin="sampler", line=LINE, parameters=500, reason="its worker died"),
        Candidate(number=6, state=State.RUNNING, origin="sampler", line=LINE, parameters=400),
    ]
