from __future__ import annotations

from datetime import UTC, datetime

from space.trail import Win, is_shrunk, unmet, winners

BUDGETS = (1000, 1500, 2000)


def trail(*parameters: int) -> tuple[Win, ...]:
    """Candidates 0, 1, ... of these sizes."""
    when = datetime(2026, 3, 4, tzinfo=UTC)
    return tuple(Win(number=place, parameters=count, when=when) for place, count in enumerate(parameters))


def test_without_winners_no_budget_is_met() -> None:
    assert unmet(BUDGETS, ()) == BUDGETS
    assert winners(BUDGETS, ()) == {}


def test_a_winner_is_that_of_every_budget_it_fits() -> None:
    assert unmet(BUDGETS, trail(1500)) == (1000,)
    assert winners(BUDGETS, trail(1500)) == {1500: 0, 2000: 0}
    assert unmet(BUDGETS, trail(800)) == ()


def test_a_budget_keeps_its_first_winner_when_a_smaller_one_is_found_for_another() -> None:
    assert winners(BUDGETS, trail(1800, 1200, 900)) == {1000: 2, 1500: 1, 2000: 0}


def test_a_trail_that_goes_on_below_the_smallest_budgets_winner_is_shrunk() -> None:
    assert not is_shrunk(BUDGETS, ())
    assert not is_shrunk(BUDGETS, trail(1800, 1200, 900))
    assert is_shrunk(BUDGETS, trail(1800, 900, 800))


def test_the_smallest_budget_has_the_smallest_winner() -> None:
    assert winners(BUDGETS, trail(1200, 900, 700, 500)) == {1000: 3, 1500: 0, 2000: 0}
    assert winners((1000,), trail(900, 700)) == {1000: 1}
