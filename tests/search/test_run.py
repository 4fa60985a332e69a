from __future__ import annotations

import pytest

from search.errors import NotFoundError, SettingsError
from search.ledger import Ledger
from search.run import check_same, find, fresh, latest
from search.settings import StudySettings
from search.storage import Store


def test_the_newest_of_the_numbered_studies_is_gone_on_with(store: Store, settings: StudySettings) -> None:
    assert latest(store, "name") is None
    assert fresh(store, "name") == "name"
    for expected in ("name", "name-2", "name-3"):
        Ledger.create(store, fresh(store, "name"), settings)
        assert latest(store, "name") == expected


def test_other_settings_are_refused(ledger: Ledger, settings: StudySettings) -> None:
    check_same(ledger, settings)
    with pytest.raises(SettingsError, match=r"seed: the study has 0, asked for 1"):
        check_same(ledger, StudySettings.make("digits", 3000, 0.9, seed=1))


def test_a_study_without_a_trained_candidate_has_nothing_to_show(ledger: Ledger) -> None:
    with pytest.raises(NotFoundError, match="no trained candidate yet"):
        find(ledger, None)
