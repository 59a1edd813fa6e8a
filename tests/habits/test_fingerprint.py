"""Fingerprints tell causes apart and patients not."""

from attrs import evolve

from qa_daemon.habits.fingerprint import ATTRIBUTES_MAX, fingerprint_of, practice_of
from qa_daemon.records.assignment import Assignment, VisitMove, VisitOrder
from qa_daemon.records.finding import (
    Action,
    Change,
    Finding,
    JsonValue,
    Level,
    Scope,
    Severity,
    Suggestion,
    Topic,
)
from qa_daemon.records.issue import Fingerprint, Practice
from qa_daemon.rules.prove import case_series
from qa_daemon.rules.schema import CaseSeries

PRACTICE = Practice("CT", "CT1", "Abdomen")
FOUND = Finding("R-1", Topic.BODY_PART, Severity.MAJOR, Level.SERIES, "wrong")
Values = tuple[JsonValue, ...] | None


def change(keyword: str, vr: str, current: Values, proposed: Values, uid: str = "") -> Change:
    scope = Scope.INSTANCE if uid else Scope.SERIES
    return Change(
        scope, Action.REPLACE, keyword, "00000000", keyword, vr, current, proposed, uid or None
    )


def told(*changes: Change) -> str:
    return fingerprint_of(evolve(FOUND, suggestion=Suggestion(changes)), PRACTICE).change


def test_a_finding_without_suggestion_is_told_by_rule_station_and_protocol() -> None:
    assert fingerprint_of(FOUND, PRACTICE) == Fingerprint("R-1", PRACTICE)


def test_codes_are_told_with_what_they_are_and_would_be() -> None:
    assert told(change("BodyPartExamined", "CS", ("KNEE",), ("CHEST",))) == (
        "BodyPartExamined: KNEE -> CHEST"
    )
    assert told(change("Laterality", "CS", None, ("L",))) == "Laterality: absent -> L"
    assert told(change("Laterality", "CS", ("R",), ())) == "Laterality: R -> empty"


def test_what_differs_from_patient_to_patient_is_named_only() -> None:
    first = (
        change("PatientName", "PN", ({"Alphabetic": "DOE^JANE"},), ({"Alphabetic": "DOE^J"},)),
        change("AccessionNumber", "SH", ("A1",), ("B2",)),
        change("ImagePositionPatient", "DS", ("1", "2", "3"), ("4", "5", "6"), "1.2.3"),
        change("ImagePositionPatient", "DS", ("1", "2", "4"), ("4", "5", "7"), "1.2.4"),
    )
    assert told(*first) == "AccessionNumber; ImagePositionPatient; PatientName"


def test_orientations_are_told_by_their_directions_so_that_a_tilt_is_no_other_cause() -> None:
    upright = ("1", "0", "0", "0", "1", "0")
    tilted = ("1", "0", "0", "0", "0.98", "-0.199")
    prone = ("-1", "0", "0", "0", "-1", "0")
    words = "ImageOrientationPatient: L\\P -> R\\A"
    for current in (upright, tilted):
        assert told(change("ImageOrientationPatient", "DS", current, prone, "1.2")) == words
    broken = change("ImageOrientationPatient", "DS", ("1", "x"), prone, "1.2")
    assert told(broken) == "ImageOrientationPatient: malformed -> R\\A"
    absent = change("ImageOrientationPatient", "DS", None, prone, "1.2")
    assert told(absent) == "ImageOrientationPatient: absent -> R\\A"


def test_of_many_attributes_some_are_told() -> None:
    many = [change(f"Keyword{number:02}", "SH", ("a",), ("b",)) for number in range(30)]
    assert told(*many).count(";") == ATTRIBUTES_MAX - 1


def test_a_station_without_a_name_is_told_by_its_device() -> None:
    tags = {"Modality": "CT", "DeviceSerialNumber": "77", "ManufacturerModelName": "M"}
    assert practice_of(case_series(CaseSeries(tags))) == Practice("CT", "77", "")
    named = {**tags, "StationName": "CT1", "SeriesDescription": "s", "ProtocolName": "p"}
    assert practice_of(case_series(CaseSeries(named))) == Practice("CT", "CT1", "p")
    assert practice_of(evolve(case_series(CaseSeries(tags)), instances=())) == Practice("CT")


def swap(series_uid: str, gain: float = 2.0) -> Finding:
    orders = (VisitOrder("A1"), VisitOrder("A2"))
    moves = (VisitMove(series_uid, 0, 1, gain),)
    return evolve(FOUND, assignment=Assignment("move", (), orders, (), moves))


def test_mistakes_of_two_visits_are_two_issues_wherever_they_are_seen() -> None:
    one, other = swap("1.2.3"), swap("1.2.4")
    elsewhere = Practice("DX", "XR2", "Knie")
    assert fingerprint_of(one, PRACTICE) != fingerprint_of(other, PRACTICE)
    assert fingerprint_of(one, PRACTICE) == fingerprint_of(swap("1.2.3", 3.0), elsewhere)
    assert "1.2.3" not in repr(fingerprint_of(one, PRACTICE))
