"""The page of one candidate."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from dashboards.site.board import Kept
from space.candidate import Confirmation, PrunedFrom, State
from tests.dashboards.boards import Board, ask
from tests.dashboards.studies import candidate, study, verification, won


def told(*candidates: Any, number: int = 0, kept: tuple[Kept, ...] = (), **more: Any) -> tuple[str, str]:
    """The page of one of them, as text and as it is."""
    board = Board(files=list(kept))
    board.put(study(*candidates, name="small"), **more)
    page = ask(board, f"/studies/small/candidates/{number}").text
    return " ".join(unescape(re.sub("<[^>]+>", " ", page)).split()), page


def test_a_winner_before_a_smaller_one_is_told_as_such() -> None:
    some = [candidate(place, size, 0.995) for place, size in enumerate((9000, 4000, 3000))]
    board = Board()
    board.put(study(*some, name="small", budgets=(3500, 10_000), trail=won(*some[:2])))
    pages = [ask(board, f"/studies/small/candidates/{number}").text for number in range(3)]
    assert ["the confirmed winner" in page for page in pages] == [False, True, False]
    assert ["before a smaller winner" in page for page in pages] == [True, False, False]
    assert "9,000 of a budget of 3,500 or 10,000" in pages[0]


def test_it_tells_what_is_known() -> None:
    confirmed = tuple(Confirmation(fold=fold, seed=fold, accuracy=0.98 + fold / 1000, seconds=65.0) for fold in (1, 2))
    one = candidate(0, 4000, 0.985, seconds=65.0, seed=7, confirmations=confirmed)
    text, _ = told(one, winner=0)
    for fact in (
        "complete - the confirmed winner",
        "4,000 of a budget of 10,000",
        "MACs per image 400,000",
        "98.50 % after 16 epochs",
        "1:05, seed 7",
        "Mean 98.15 % of 2 fresh trainings",
        "1x28x28-4c3nr-P2-10c1-G",
        "global average pool",
    ):
        assert fact in text


def test_it_tells_why_a_candidate_was_not_trained() -> None:
    text, _ = told(candidate(0, 12_000, None, state=State.OVER_BUDGET, reason="2,000 over the budget"))
    assert "over budget: 2,000 over the budget" in text
    assert "Curves" not in text


def test_layers_add_up_to_the_total() -> None:
    _, page = told(candidate(0, 4000, 0.98))
    counts = re.findall(r'<td>([\d,]*)</td><td class="wide">([\d,]*)</td></tr>', page)
    numbers = [[int(count.replace(",", "") or 0) for count in row] for row in counts]
    *layers, total = numbers
    assert [sum(column) for column in zip(*layers, strict=True)] == total
    assert total[0] > 0


def test_verifications_are_summed_up_in_one_confusion() -> None:
    runs = tuple(verification(place, accuracy) for place, accuracy in enumerate((0.99, 0.98)))
    text, page = told(candidate(0, 4000, 0.985, verifications=runs))
    assert "Mean 98.50 % of 2" in text
    assert re.findall(r'class="(?:right|wrong)"[^>]*>([^<]*)<', page) == ["970", "30", ".", "1,000"]


def test_a_network_without_any_error_can_be_shown() -> None:
    _, page = told(candidate(0, 4000, 0.985, verifications=(verification(0, 1.0),)))
    assert page.count('class="wrong"') == 2


def test_what_pruning_made_leads_to_what_it_was_made_of() -> None:
    pruning = PrunedFrom(parent=0, what="filters", keep=0.5, rounds=2, round=1)
    _, page = told(candidate(0, 4000, 0.98), candidate(1, 2000, 0.97, pruning=pruning), number=1)
    assert 'href="/studies/small/candidates/0"' in page


def test_files_and_optunas_page_are_linked() -> None:
    kept = Kept(filename="<weights>", mimetype="application/octet-stream", address="/artifacts/7/8/9")
    text, page = told(candidate(0, 4000, 0.98), kept=(kept,))
    assert '<a href="/artifacts/7/8/9">&lt;weights&gt;</a>' in page
    assert 'href="/dashboard/studies/7/trials?numbers=0"' in page
    assert "files" in text


def test_pictures_say_in_words_what_they_show() -> None:
    _, page = told(candidate(0, 4000, 0.985, losses={16: (2.0, 0.25)}))
    alternatives = re.findall(r'<img [^>]*alt="([^"]+)"', page)
    assert len(alternatives) == page.count("<img") == 3
    assert "98.50 % after 16 epochs" in alternatives[0]
    assert "0.25 after 2 epochs" in alternatives[0]
