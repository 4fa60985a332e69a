from __future__ import annotations

import re

from dashboards.report.markdown import markdown
from dashboards.report.parts import Code, Document, Lines, Paragraph, Section, Table
from dashboards.report.sections import document
from tests.dashboards.reports import report, whole

HOSTILE = "<b>*a*</b> [x](y) `c` | d_e_f $m$ ~~s~~ & \\"


def of(*parts: Paragraph | Lines | Table) -> str:
    """What a document's only section becomes."""
    made = Document(title="t", verdict="v", moment="m", figures=(), sections=(Section("s", parts),))
    return markdown(made).partition("## s\n\n")[2].rstrip("\n")


def test_all_sections_are_there_in_order() -> None:
    made = document(whole())
    found = re.findall(r"^## (.*)$", markdown(made), re.MULTILINE)
    assert found == [section.title for section in made.sections]


def test_text_means_only_itself() -> None:
    assert of(Paragraph(HOSTILE)) == (r"\<b\>\*a\*\</b\> \[x\](y) \`c\` \| d\_e\_f \$m\$ \~\~s\~\~ &amp; " + "\\\\")
    assert of(Paragraph("a\n# b\n\n- c")) == "a # b - c"


def test_commands_stay_as_they_are_in_a_block_of_their_own() -> None:
    assert of(Lines(("search run 'a\nb*'", "search verify a"))) == "    search run 'a\n    b*'\n    search verify a"


def test_a_table_is_a_table_whatever_its_cells_hold() -> None:
    table = Table(
        caption="Caption",
        headings=("name", "number", "line"),
        rows=((Code("a|b`c"), "1|2", "x\ny"), ("", "", Code(""))),
        words=("line",),
        foot=("all", "3", ""),
    )
    assert of(table).splitlines() == [
        "Caption:",
        "",
        "| name | number | line |",
        "|---|--:|---|",
        "| `a\\|b'c` | 1\\|2 | x y |",
        "|  |  |  |",
        "| all | 3 |  |",
    ]


def test_pictures_are_files_beside_it_and_told_in_words() -> None:
    text = markdown(document(whole()))
    found = dict(re.findall(r"^!\[(.*)\]\((.*)\)$", text, re.MULTILINE))
    assert set(found.values()) >= {"layers.png", "pareto.png", "history.png"}
    (front,) = [told for told, file in found.items() if file == "pareto.png"]
    assert "Validation accuracies have chosen candidates" in front


def test_an_empty_study_is_a_text_without_pictures() -> None:
    text = markdown(document(report()))
    assert "![" not in text
    assert "Nothing has been proposed yet." in text
