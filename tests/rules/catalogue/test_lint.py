"""What is doubtful in rules is told; what is not, is not."""

from collections.abc import Callable

import pytest

from qa_daemon.rules.catalogue.lint import lint
from qa_daemon.rules.load import load_pack
from qa_daemon.rules.schema import RulePack
from qa_daemon.suggest.propose import unfit

Text = Callable[..., str]

CASES = [
    {"name": "wrong", "tags": {"Modality": "XX"}, "outcome": "finding"},
    {"name": "right", "tags": {"Modality": "CT"}, "outcome": "passed"},
]
OTHER = {"name": "right", "tags": {"Modality": "MR"}, "outcome": "passed"}
CLEAN = {
    "rationale": "PS3.3 C.7.3.1",
    "applies_when": {"fact": "tag.Modality", "filled": True},
    "check": {"fact": "tag.Modality", "in": ["CT", "MR"]},
    "cases": CASES,
}


def remarks(text: str) -> list[str]:
    return [remark.message for remark in lint(load_pack({"rules/a.yaml": text}), unfit)]


def test_the_shipped_rules_leave_no_doubt(shipped_pack: RulePack) -> None:
    assert [str(remark) for remark in lint(shipped_pack, unfit)] == []


def test_a_rule_without_doubt_is_left_alone(rule_text: Text) -> None:
    assert remarks(rule_text(**CLEAN)) == []


def test_a_rule_of_a_site_need_not_name_the_standard(rule_text: Text) -> None:
    text = rule_text(**CLEAN | {"rationale": "agreed with the wards"})
    assert remarks(text) == ["the rationale names no part of the standard, as in (PS3.3 C.7.3.1)"]
    pack = load_pack({"site/own/a.yaml": text}, folders=["site/own"])
    assert lint(pack, unfit) == ()


def fact(name: str, **word: object) -> dict[str, object]:
    return {"fact": f"tag.{name}", **word}


IS_CT = fact("Modality", equals="CT")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"id": "my rule"}, "an id is capitals"),
        ({"rationale": "because"}, "names no part of the standard"),
        ({"cases": CASES[1:]}, "no case shows it fire"),
        ({"cases": CASES[:1]}, "no case shows it hold its peace"),
        ({"cases": [*CASES, OTHER]}, "two cases are named 'right'"),
        ({"cases": [*CASES, {**OTHER, "name": ""}]}, "a case has no name"),
        ({"needs": [{"prediction": "view"}]}, "shows what comes of an unsure one"),
        ({"check": fact("Modality[2]", filled=True)}, "never has a value: Modality has 1"),
        ({"check": fact("Modality", above=1)}, "'above' asks for numbers, and Modality (CS)"),
        ({"check": fact("Modality", before="2020")}, "asks for a date or time"),
        ({"check": fact("StudyID", matches="^A$")}, "^ and $ say nothing"),
        ({"check": fact("StudyID", matches="(.|\\n)*")}, "fits every text"),
        ({"check": fact("StudyInstanceUID", matches="1.2.840.*")}, "the dot of a UID"),
        ({"applies_when": None}, "it fires where the element is absent"),
        ({"applies_when": {"all": [IS_CT, fact("Modality", equals="MR")]}}, "it never applies"),
        ({"applies_when": fact("Modality", filled=False)}, "it fires whenever it applies"),
        ({"check": fact("Modality", filled=True)}, "it never fires"),
        (
            {"check": {"all": [fact("Rows", at_least=5), fact("Rows", below=5)]}},
            "its check never passes: tag.Rows has no number",
        ),
        (
            {"check": {"all": [IS_CT, {"not": fact("Modality", **{"in": ["CT", "MR"]})}]}},
            "its check never passes: tag.Modality has no value",
        ),
        (
            {"check": {"all": [fact("Rows", present=False), {"not": fact("Rows", present=False)}]}},
            "cannot be present and not",
        ),
        ({"suggest": {"replace": "Modality", "with": "CT"}}, "no case shows what it suggests"),
        (
            {"suggest": {"replace": "Modality", "with": "OT"}},
            "case 'wrong': with Modality -> OT the check would not pass",
        ),
    ],
)
def test_a_doubt_is_told(rule_text: Text, other: dict[str, object], said: str) -> None:
    found = remarks(rule_text(**{**CLEAN, **other}))
    assert any(said in remark for remark in found), found


def test_two_rules_that_ask_the_same_are_told(rule_text: Text) -> None:
    texts = {f"rules/{n}.yaml": rule_text(**CLEAN, id=f"TEST-00{n}") for n in (1, 2)}
    (remark,) = lint(load_pack(texts), unfit)
    assert str(remark) == "rules/2.yaml: rule TEST-002: it asks the same as TEST-001"


def test_a_rule_that_means_the_absent_element_is_left_alone(rule_text: Text) -> None:
    cases = [{"name": "absent", "tags": {"PatientID": "A"}, "outcome": "finding"}, CASES[1]]
    assert remarks(rule_text(**{**CLEAN, "applies_when": None, "cases": cases})) == []
