"""HTML from values."""

from __future__ import annotations

from dashboards.site.html import Html, element, percents, study_address, study_name, table, together


def test_what_is_not_html_is_escaped() -> None:
    assert element("p", "<b>", " & ", 7, None) == "<p>&lt;b&gt; &amp; 7</p>"
    assert element("a", "x", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;">x</a>'


def test_html_stays_as_it_is() -> None:
    inner = element("b", "bold")
    assert isinstance(inner, Html)
    assert element("p", inner, [", ", inner]) == "<p><b>bold</b>, <b>bold</b></p>"


def test_attributes_may_be_flags_and_names_of_python() -> None:
    assert element("p", class_="a", data_live="/now", hidden=True, id=None, lang=False) == (
        '<p class="a" data-live="/now" hidden></p>'
    )
    assert element("img", alt="", width=3) == '<img alt="" width="3">'


def test_a_table_has_headings_for_its_columns_and_rows() -> None:
    text = table("Caption", ("#", "words", "count"), [("1", "a<b", 7)], words=("words",), wide=("words", "count"))
    assert "<caption>Caption</caption>" in text
    assert '<th scope="col" class="words wide">words</th>' in text
    assert '<th scope="row">1</th><td class="words wide">a&lt;b</td><td class="wide">7</td>' in text
    assert 'tabindex="0"' in text


def test_an_address_gives_the_name_back() -> None:
    for name in ("mnist-10000-0.994", "", ".", "..", "~", "~.x", "a/b", "%2F", "ä 漢", "?#&", "\n"):
        address = study_address(name, "candidates", 3)
        segments = address.split("/")
        assert len(segments) == 5
        assert study_name(segments[2]) == name
        assert segments[2].isascii()


def test_several_percents_are_one_text() -> None:
    assert percents([0.994, None]) == "99.40 %, -"
    assert percents([]) == "-"
    assert together() == ""
