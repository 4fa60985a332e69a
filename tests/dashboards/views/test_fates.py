from __future__ import annotations

from dashboards.views.fates import End, Fate, fate, look
from space.candidate import State
from tests.dashboards.studies import candidate


def test_the_target_is_reached_by_a_whole_training_alone() -> None:
    ends = [
        fate(candidate(0, 1000, 0.99), 0.99),
        fate(candidate(1, 1000, 0.98), 0.99),
        fate(candidate(2, 1000, 0.99, state=State.PRUNED, rungs={4: 0.99}), 0.99),
        fate(candidate(3, 1000, 0.99, state=State.RUNNING, rungs={4: 0.99}), 0.99),
    ]
    assert ends == [Fate(End.AT_TARGET), Fate(End.COMPLETE), Fate(End.PRUNED, 4), Fate(End.RUNNING)]


def test_fates_are_in_order_of_how_far_candidates_came() -> None:
    told = [Fate(End.COMPLETE), Fate(End.PRUNED, 4), Fate(End.OVER_BUDGET), Fate(End.PRUNED, 1), Fate(End.AT_TARGET)]
    assert [str(one) for one in sorted(told)] == [
        "over budget",
        "pruned after 1 epoch",
        "pruned after 4 epochs",
        "trained to the end",
        "reached the target",
    ]


def test_no_two_fates_look_alike_in_colour_or_in_grey() -> None:
    fates = [Fate(end) for end in End if end != End.PRUNED] + [Fate(End.PRUNED, epochs) for epochs in (1, 4)]
    looks = [look(one, [1, 4, 16]) for one in fates]
    assert len({one.colour for one in looks}) == len(looks)
    for before, after in zip(sorted(fates), sorted(fates)[1:], strict=False):
        assert look(before, [1, 4, 16]).hatch != look(after, [1, 4, 16]).hatch
    symbols = [look(one, [1, 4, 16]).symbol for one in fates if one.end != End.OVER_BUDGET]
    assert len(set(symbols)) == len(symbols)


def test_a_length_that_nobody_knows_has_a_look_too() -> None:
    assert look(Fate(End.PRUNED, 3), [1, 4, 16]) == look(Fate(End.PRUNED, 1), [1, 4, 16])
