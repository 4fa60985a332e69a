from __future__ import annotations

import pickle
from collections.abc import Callable

from search import tuning
from search.conductor import Conductor
from search.ledger import Ledger
from search.places import Places


def test_what_tune_pickles_holds_nothing_of_the_study(
    ledger: Ledger, make_conductor: Callable[..., Conductor], database: str
) -> None:
    bridge = tuning._Bridge(make_conductor(ledger), None, Places(), lambda: None)
    pickled = pickle.dumps((tuning._Workers(bridge), tuning._Results(bridge), tuning._Stop(bridge)))
    assert database.encode() not in pickled
