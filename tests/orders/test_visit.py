"""Which series are of one visit."""

from qa_daemon.orders.visit import visits
from qa_daemon.records.element import Element, Elements
from tests.orders.conftest import series


def of(patient: str, date: str, issuer: str = "") -> Elements:
    texts = {"PatientID": patient, "StudyDate": date, "IssuerOfPatientID": issuer}
    return {keyword: Element("LO", (text,)) for keyword, text in texts.items()}


def test_a_visit_is_a_patient_and_a_day() -> None:
    given = [
        series("1", of("P", "20260301"), "1.1"),
        series("2", of("P", "20260301"), "1.2"),
        series("3", of("P", "20260302"), "1.3"),
        series("4", of("Q", "20260301"), "1.4"),
        series("5", of("P", "20260301", "other"), "1.5"),
    ]
    assert [[each.series_instance_uid for each in one] for one in visits(given)] == [
        ["1", "2"], ["3"], ["4"], ["5"],
    ]  # fmt: skip


def test_objects_without_patient_or_day_are_of_their_study_only() -> None:
    given = [series("1", of("", "20260301"), "1.1"), series("2", of("", "20260301"), "1.2"),
             series("3", of("P", ""), "1.2")]  # fmt: skip
    found = [[each.series_instance_uid for each in one] for one in visits(given)]
    assert found == [["1"], ["2", "3"]]
