from __future__ import annotations

import pytest

from dashboards.report.numbers import Report
from dashboards.report.parts import Code, Document, Items, Lines, Links, Paragraph, Part, Section, Table
from dashboards.report.sections import document
from space.candidate import State
from tests.dashboards.reports import confirmed, report, whole
from tests.dashboards.studies import LINE, candidate, verification, won


def section(made: Document, title: str) -> Section:
    return next(one for one in made.sections if one.title == title)


def words(part: Part) -> list[str]:
    match part:
        case Paragraph(text):
            return [text]
        case Items(texts) | Lines(texts):
            return list(texts)
        case Table():
            cells = [cell for row in (*part.rows, part.foot) for cell in row]
            return [part.caption, *part.headings, *(cell.text if isinstance(cell, Code) else cell for cell in cells)]
        case _:
            return []


def told(made: Report, title: str) -> str:
    return "\n".join(word for part in section(document(made), title).all_parts() for word in words(part))


def tables(made: Report, title: str) -> list[Table]:
    return [part for part in section(document(made), title).all_parts() if isinstance(part, Table)]


STUDIES = {
    "empty": report(),
    "over budget": report(candidate(0, 20_000, None, state=State.OVER_BUDGET)),
    "in training": report(candidate(0, 4000, None, state=State.RUNNING), searching=1),
    "failed": report(candidate(0, 4000, None, state=State.FAILED, line="")),
    "not confirmed": report(candidate(0, 4000, 0.98)),
    "whole": whole(),
}


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_gets_the_same_sections_and_none_is_empty(name: str) -> None:
    made = document(STUDIES[name])
    assert [one.title for one in made.sections] == [one.title for one in document(whole()).sections]
    for one in made.sections:
        assert any(words(part) or isinstance(part, Links) for part in one.all_parts())


def test_the_verdict_says_how_far_one_may_believe_it() -> None:
    tested = "On the test images it reaches 99.20 %, which meets the target of 99.00 %."
    assert document(whole()).verdict == (
        "Confirmed for 99.00 % with at most 10,000 parameters: #1 with 5,000 parameters, 99.20 % in the mean of 3 "
        f"fresh trainings. {tested}"
    )
    hit = candidate(0, 4000, 0.995, confirmations=confirmed())
    assert "test images" not in document(report(hit, winner=0)).verdict
    poor = candidate(0, 4000, 0.995, confirmations=confirmed(), verifications=(verification(0, 0.98),))
    assert document(report(poor, winner=0)).verdict.endswith("98.00 %, which misses the target of 99.00 %.")
    assert document(report(candidate(3, 4000, 0.985))).verdict == (
        "No network is confirmed yet for 99.00 % with at most 10,000 parameters. The best so far is #3 with 4,000 "
        "parameters: 98.50 % in validation after 16 epochs."
    )
    assert "no candidate has an accuracy" in document(report()).verdict


def test_the_moment_says_whether_the_search_was_over() -> None:
    assert document(report()).moment == "Study study, as it was at 2026-03-04 05:06 UTC."
    assert "The search was not over: one run was at work on it." in document(report(searching=1)).moment
    assert "2 runs were at work" in document(report(searching=2)).moment


def test_the_numbers_at_the_head_are_the_bests() -> None:
    found = {figure.name: (figure.value, figure.note) for figure in document(whole()).figures}
    assert found["Parameters"] == ("5,000", "of at most 10,000")
    assert found["Validation"] == ("99.30 %", "when chosen, 16 epochs")
    assert found["Confirmed"] == ("99.20 %", "mean of 3 fresh trainings")
    assert found["Test"] == ("99.20 %", "98.70 to 99.70 %, 3 trainings")
    assert found["MACs"][0] == "500,000"
    names = [figure.name for figure in document(report(candidate(0, 4000, 0.9))).figures]
    assert names == ["Parameters", "Validation", "MACs", "Peak activations"]
    assert document(report()).figures == ()


def test_each_of_several_budgets_is_told_with_its_winner() -> None:
    hits = (
        candidate(0, 9000, 0.995, confirmations=confirmed()),
        candidate(1, 4000, 0.993, confirmations=confirmed()),
        candidate(2, 1900, 0.97),
    )
    made = report(*hits, budgets=(2000, 5000, 10_000), trail=won(*hits[:2]))
    assert document(made).verdict == (
        "Confirmed for 99.00 % with at most 5,000 or 10,000 parameters: #1 with 4,000 parameters, 99.20 % in the mean "
        "of 3 fresh trainings. No network is confirmed yet for at most 2,000."
    )
    (budgets,) = [table for table in tables(made, "What was found") if table.caption.startswith("By budget")]
    assert [row[0] for row in budgets.rows] == ["2,000", "5,000", "10,000"]
    assert [row[4] for row in budgets.rows] == ["-", "#1", "#0"]
    assert not made.is_met
    assert "at most 2,000, 5,000 or 10,000" in told(made, "What was asked")


def test_winners_that_smaller_ones_have_taken_the_place_of_are_told() -> None:
    hits = [candidate(place, size, 0.995, confirmations=confirmed()) for place, size in enumerate((9000, 6000, 4000))]
    made = report(*hits, trail=won(*hits))
    (trail,) = [table for table in tables(made, "What was found") if table.caption.startswith("Winners")]
    assert [row[:3] for row in trail.rows] == [
        ("#0", "9,000", "99.20 %"),
        ("#1", "6,000", "99.20 %"),
        ("#2", "4,000", "99.20 %"),
    ]
    assert made.to_json()["winner"]["number"] == 2
    assert [win["parameters"] for win in made.to_json()["trail"]] == [9000, 6000, 4000]
    assert not any(table.caption.startswith("Winners") for table in tables(whole(), "What was found"))


def test_what_was_asked_is_told_with_its_units() -> None:
    (table,) = tables(whole(), "What was asked")
    found = {str(row[0]): str(row[1]) for row in table.rows}
    assert found["data set"] == "digits: images of 1x28x28, 10 classes"
    assert found["budget"] == "at most 10,000 trainable parameters"
    assert found["target"] == "an accuracy of 99.00 %"
    assert found["trainings"].startswith("of 1, 4, 16 epochs")
    assert found["seed"] == "3"


def test_what_became_of_candidates_adds_up() -> None:
    table = tables(whole(), "What was found")[0]
    found = {str(row[0]): (row[1], row[2]) for row in table.rows}
    assert found["over budget"] == ("1", "counted, never trained")
    assert found["failed"] == ("1", "its worker died (1)")
    assert found["pruned after 4 epochs"][0] == "1"
    assert found["made by pruning others"][0] == "1"
    assert sum(int(str(row[1])) for row in table.rows) == 9
    assert table.foot[1] == "9"


def test_the_best_is_told_layer_by_layer() -> None:
    found = tables(whole(), "What was found")[1]
    assert [row[1] for row in found.rows] == [Code(token) for token in ("4c3", "n", "r", "P2", "10c1", "G")]
    assert found.foot[3:] == ("84", "31,096")
    assert LINE in told(whole(), "What was found")


def test_a_network_with_weights_held_at_zero_is_told_as_one() -> None:
    pruned = whole().candidates[8]
    assert "pruned weights: #1, round 1 of 2 to 50 %. Its layers are counted with the weights" in told(
        report(*whole().candidates[:8], pruned, winner=8), "What was found"
    )


def test_a_verified_result_is_told_with_its_spread_and_each_training() -> None:
    found = told(whole(), "On the test images")
    assert "The study has read the test set 4 times: 3 times for #1, once for #7." in found
    assert "99.20 % of 1,000 test images, mean of 3 trainings, which meets the target of 99.00 %." in found
    assert "Standard deviation 0.20 points, worst 99.00 %, 95 % interval of the mean 98.70 to 99.70 %" in found
    runs, confusion, verified = tables(whole(), "On the test images")
    assert [row[3:5] for row in runs.rows] == [("99.40 %", "6"), ("99.00 %", "10"), ("99.20 %", "8")]
    assert confusion.rows == (("0", "1,476", "24"), ("1", ".", "1,500"))
    assert [row[0] for row in verified.rows] == ["#1", "#7"]


def test_a_candidate_that_is_not_verified_comes_with_the_command_that_does_it() -> None:
    found = told(report(candidate(1, 4000, 0.985)), "On the test images")
    assert "The study has not read the test set." in found
    assert "#1 is not verified yet" in found
    assert "search verify study/1" in found


def test_confirmations_are_told_for_each_hit_that_was_tried() -> None:
    begun = candidate(2, 4000, 0.995, confirmations=confirmed()[:1])
    (table,) = tables(report(*whole().candidates[:2], begun), "Confirmations")
    assert [row[3:] for row in table.rows] == [
        ("99.10 % (fold 1)", "99.20 % (fold 2)", "99.30 % (fold 3)", "99.20 %"),
        ("99.10 % (fold 1)", "-", "-", "99.10 %"),
    ]
    assert told(report(candidate(0, 4000, 0.985)), "Confirmations") == "No hit yet."
    assert told(report(candidate(0, 4000, 0.995)), "Confirmations").startswith("1 candidate reached the target")


def test_the_best_twenty_and_the_front_are_tables() -> None:
    many = [candidate(number, 1000 + number, 0.9 + number / 1000) for number in range(30)]
    best, front = tables(report(*many), "Candidates")
    assert [row[0] for row in best.rows] == [f"#{number}" for number in range(29, 9, -1)]
    assert [row[0] for row in front.rows] == [f"#{number}" for number in range(30)]
    assert best.rows[0][1:4] == ("1,029", "102,900", "92.90 %")


def test_settings_that_are_no_longer_the_programs_are_told() -> None:
    assert "petitnet 1.2.3 would not search" in told(report(changed=("seed: the study has 1",)), "How to repeat it")
    assert "would not search" not in told(report(), "How to repeat it")


def test_conditions_and_all_settings_are_told() -> None:
    conditions, recipe, space = tables(whole(), "Conditions")
    assert conditions.rows[0] == (Code("torch"), "2.14.1")
    assert recipe.rows == ((Code("epochs"), "16"), (Code("augmentation.shift"), "0.0357143"))
    assert space.rows == ((Code("depth1"), "1 to 3"),)
    assert "None are on record" in told(report(conditions={}), "Conditions")


def test_what_is_not_known_depends_on_what_was_done() -> None:
    unverified, single = (
        told(report(candidate(0, 4000, 0.985)), "What is not known"),
        told(whole(), "What is not known"),
    )
    assert "it is not verified" in unverified
    assert "it is not verified" not in single
    assert "verified once" in single
    assert "Whether a smaller network reaches the target: 6 of 8 candidates were trained" in single
    assert "Whether any network reaches the target: 0 of 0" in told(report(), "What is not known")
