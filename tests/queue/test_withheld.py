"""Readers who may not see who patients are see none."""

from qa_daemon.queue.withheld import HIDDEN, without_patient
from qa_daemon.records.finding import (
    Action,
    Change,
    Finding,
    Level,
    Scope,
    Severity,
    Suggestion,
    Topic,
)


def change(attribute: str, tag: str, vr: str, value: str) -> Change:
    return Change(Scope.SERIES, Action.REPLACE, attribute, tag, attribute, vr, (value,), (value,))


def finding(topic: Topic, *changes: Change) -> Finding:
    return Finding(
        rule="X-1",
        topic=topic,
        severity=Severity.MAJOR,
        level=Level.STUDY,
        message="Doe^Jane is not Roe^Jane",
        evidence={"tag.PatientID": "4711", "body_part": "KNEE 0.99"},
        suggestion=Suggestion(changes),
        alternatives=(Suggestion(changes),),
    )


def test_names_numbers_and_accessions_are_hidden_and_codes_are_not() -> None:
    shown = without_patient(
        finding(
            Topic.BODY_PART,
            change("PatientName", "00100010", "PN", "Doe^Jane"),
            change("AccessionNumber", "00080050", "SH", "A1"),
            change("OperatorsName", "00081070", "PN", "Roe^Rita"),
            change("BodyPartExamined", "00180015", "CS", "KNEE"),
        )
    )
    assert shown.suggestion is not None
    for suggestion in (shown.suggestion, *shown.alternatives):
        assert [each.proposed for each in suggestion.changes] == [(HIDDEN,)] * 3 + [("KNEE",)]
    assert shown.evidence == {"tag.PatientID": HIDDEN, "body_part": "KNEE 0.99"}


def test_the_words_of_an_identity_finding_are_hidden_whole() -> None:
    shown = without_patient(finding(Topic.IDENTITY))
    assert "Doe" not in str(shown)
    assert "4711" not in str(shown)
