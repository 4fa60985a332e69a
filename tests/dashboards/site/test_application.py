"""The dashboard's pages asked for one by one, from a board in memory."""

from __future__ import annotations

import gzip
import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from dashboards.site.application import Site
from dashboards.site.html import study_address
from space.candidate import Candidate, State
from tests.dashboards.boards import Board, ask, optuna
from tests.dashboards.studies import candidate, study, verification, won

HOSTILE = "a/b?<script>alert('1')</script>&\"c\" #%2F 80 % \u00e4\u6f22"


@pytest.fixture
def board() -> Board:
    made = Board()
    made.put(study(*some(), name="small"), winner=0, drivers=("host (process 1)",))
    return made


def some() -> list[Candidate]:
    verified = tuple(verification(place, accuracy) for place, accuracy in enumerate((0.992, 0.994)))
    return [
        candidate(0, 4000, 0.985, verifications=verified, losses={16: (2.0, 1.0, 0.5)}),
        candidate(1, 5000, 0.97, state=State.PRUNED, rungs={1: 0.96, 4: 0.97}, reason="not in the best 1 of 4"),
        candidate(2, 12_000, None, state=State.OVER_BUDGET),
        candidate(3, 6000, None, state=State.RUNNING),
    ]


def test_the_winners_of_several_budgets_are_named(board: Board) -> None:
    hits = [candidate(place, size, 0.995) for place, size in enumerate((9000, 4000, 3000))]
    board.put(study(*hits, name="several", budgets=(2000, 5000, 10_000), trail=won(*hits[:2])))
    board.put(study(*hits, name="shrunk", trail=won(*hits)))
    text = " ".join(unescape(re.sub("<[^>]+>", " ", ask(board, "/studies/several/now").text)).split())
    assert "99.00 % with at most 2,000, 5,000 or 10,000 parameters" in text
    assert "2,000: none confirmed yet; 5,000: #1 confirmed" in text
    assert "winners so far #0 9,000, #1 4,000" in text
    assert "winners so far" in ask(board, "/studies/shrunk/now").text
    assert "winners so far" not in ask(board, "/studies/small/now").text


class Reader(HTMLParser):
    """Checks that elements end in the order in which they began, and notes addresses and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.addresses += [
            told[name] or "" for name in ("href", "src", "srcset", "data-live", "data-figure") if name in told
        ]
        assert not [name for name in told if name.startswith("on")]
        if tag not in ("meta", "link", "img", "source"):
            self.open.append(tag)
        if tag == "script" and "src" not in told:
            self.inline.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


PAGES = (
    "/",
    "/studies/small",
    "/studies/small/candidates",
    "/studies/small/candidates/0",
    "/studies/small/candidates/3",
)


@pytest.mark.parametrize("address", PAGES)
def test_pages_are_whole_and_ask_for_nothing_from_elsewhere(board: Board, address: str) -> None:
    answer = ask(board, address)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    found = Reader(answer.text)
    assert found.inline == []
    assert all(place.startswith(("/", "#")) and not place.startswith("//") for place in found.addresses)
    assert "default-src 'none'; script-src 'self';" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", PAGES)
def test_every_address_of_a_page_leads_somewhere(board: Board, address: str) -> None:
    for place in Reader(ask(board, address).text).addresses:
        if not place.startswith("#") and not place.endswith("/report"):
            assert ask(board, place).status == 200, place


def test_the_overview_tells_where_each_study_stands(board: Board) -> None:
    board.put(study(name="empty"))
    text = unescape(re.sub("<[^>]+>", " ", ask(board, "/").text))
    assert "4 in all: 1 complete, 1 running, 1 pruned, 1 over budget" in text
    assert "being searched by host (process 1)" in text
    assert "#0" in text
    assert "99.30 % on test images" in text
    assert "none is trained yet" in text


def test_without_studies_the_overview_says_how_to_begin() -> None:
    assert "search run --budget" in ask(Board(), "/").text


@pytest.mark.parametrize("name", [HOSTILE, "", ".", "..", "~", "~.", "a/../b", "x y", "\\", "line\nbreak"])
def test_a_study_may_be_called_anything(name: str) -> None:
    board = Board()
    board.put(study(*some(), name=name), winner=0)
    for address in Reader(ask(board, "/").text).addresses:
        if address.startswith("/studies/") and not address.endswith("/report"):
            assert ask(board, address).status == 200
            assert not {".", "..", "%2E", "%2E%2E"} & set(address.split("/"))
    for below in ((), ("candidates",), ("candidates", 1), ("figures", "pareto-parameters.json")):
        answer = ask(board, study_address(name, *below))
        assert answer.status == 200
        assert "<script>alert" not in answer.text.replace("\\u003c", "<") or "json" in answer.headers["Content-Type"]


def test_names_have_addresses_of_their_own() -> None:
    names = ["", "~", "~~", ".", "~.", "..", "%2E", "a/b", "a%2Fb", "now", "best"]
    assert len({study_address(name) for name in names}) == len(names)


def test_the_same_is_not_sent_twice(board: Board) -> None:
    site = Site(board, optuna)
    for address in ("/now", "/studies/small/now", "/studies/small/best", "/studies/small/figures/pareto-macs.json"):
        first = ask(site, address)
        again = ask(site, address, IF_NONE_MATCH=first.headers["ETag"])
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]


def test_a_figure_changes_when_the_study_does(board: Board) -> None:
    site = Site(board, optuna)
    address = "/studies/small/figures/pareto-parameters.json"
    tag = ask(site, address).headers["ETag"]
    board.put(study(*some(), candidate(4, 3000, 0.98), name="small"))
    answer = ask(site, address, IF_NONE_MATCH=tag)
    assert answer.status == 200
    assert "#4 small" in answer.text


def test_what_is_large_is_compressed_for_those_who_can_read_it(board: Board) -> None:
    plain, packed = ask(board, "/studies/small"), ask(board, "/studies/small", ACCEPT_ENCODING="br, gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body)


def test_head_tells_the_length_alone(board: Board) -> None:
    answer = ask(board, "/studies/small", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) == len(ask(board, "/studies/small").body)


@pytest.mark.parametrize(
    "address",
    [
        "/no",
        "/studies",
        "/studies/none",
        "/studies/small/no",
        "/studies/small/candidates/4",
        "/studies/small/candidates/-1",
        "/studies/small/candidates/x",
        "/studies/small/candidates/\u0663",
        "/studies/small/candidates/0/no.svg",
        "/studies/small/candidates/3/losses.svg",
        "/studies/small/figures/no.json",
        "/studies/small/figures/pareto-parameters",
        "/assets/no.js",
        "/assets/0123456789abcdef-site.js",
        "/assets/../guard.py",
        "/assets/-site.js",
    ],
)
def test_what_is_not_there_is_said_on_a_page(board: Board, address: str) -> None:
    answer = ask(board, address)
    assert answer.status == 404
    Reader(answer.text)


def test_a_database_that_is_away_is_said_on_a_page(board: Board) -> None:
    board.is_away = True
    for address in ("/", "/studies/small", "/studies/small/figures/pareto-macs.json"):
        answer = ask(board, address)
        assert answer.status == 503
        assert "it is away" in answer.text


def test_scripts_and_styles_may_be_kept_for_ever(board: Board) -> None:
    for address in Reader(ask(board, "/studies/small").text).addresses:
        if address.startswith("/assets/"):
            assert "immutable" in ask(board, address).headers["Cache-Control"]
    assert "immutable" not in ask(board, "/studies/small").headers["Cache-Control"]


@pytest.mark.parametrize("address", ["/dashboard", "/dashboard/studies/1", "/api/studies", "/static/x.js", "/csv/1"])
def test_optunas_addresses_are_optunas(board: Board, address: str) -> None:
    assert ask(board, address).text == f"optuna {address}"


def test_kept_files_cannot_run_scripts_and_are_for_our_pages_alone(board: Board) -> None:
    answer = ask(board, "/artifacts/1/2/3")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_figure_tells_of_which_candidate_each_point_is(board: Board) -> None:
    told = json.loads(ask(board, "/studies/small/figures/pareto-parameters.json").body)
    found = {tuple(trace["customdata"]) for trace in told["figure"]["data"] if "customdata" in trace}
    assert (0,) in found
    assert (1,) in found
    assert "Best within 10,000 parameters" in told["notes"][0]


@pytest.mark.parametrize("cost", ["parameters", "macs", "peak-bytes"])
def test_the_cost_can_be_chosen(board: Board, cost: str) -> None:
    text = ask(board, f"/studies/small?cost={cost}").text
    assert f"/figures/pareto-{cost}.json" in text
    assert ask(board, f"/studies/small/figures/pareto-{cost}.json").status == 200
    assert "/figures/pareto-parameters.json" in ask(board, "/studies/small?cost=no").text


def test_the_list_of_candidates_can_be_parted(board: Board) -> None:
    text = ask(board, "/studies/small/candidates?state=over+budget").text
    assert "/candidates/2" in text
    assert "/candidates/1" not in text
    board.put(study(*(candidate(number, 4000, 0.9) for number in range(230)), name="many"))
    shown = [ask(board, f"/studies/many/candidates?page={page}").text.count("/candidates/") for page in (1, 3, 4, "x")]
    assert shown == [100, 30, 0, 100]
