from __future__ import annotations

from search.seeds import derive


def test_seeds_follow_from_their_path_alone() -> None:
    assert derive(0, "training", 7) == derive(0, "training", 7) == 297609596


def test_every_use_has_a_seed_of_its_own() -> None:
    found = {derive(seed, use, number) for seed in range(3) for use in ("training", "sampler") for number in range(50)}
    assert len(found) == 300
    assert all(0 <= seed < 2**32 for seed in found)
