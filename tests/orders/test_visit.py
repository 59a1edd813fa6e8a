"""Which series and orders are of one visit."""

from datetime import UTC, datetime, timedelta

from attrs import evolve

from qa_daemon.orders.visit import each_once, visits
from qa_daemon.records.element import Element, Elements
from qa_daemon.records.order import Code, Order, OrderSource, Told
from tests.orders.conftest import order, series

KNEE = order("A1", "Knie re.", codes=(Code("X1", "99RIS"),))


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


def test_an_order_that_two_sources_tell_of_is_one_the_surest_first() -> None:
    archived = evolve(KNEE, source=OrderSource.ARCHIVE, description="knee", study_instance_uid="1")
    (one,) = once((9, archived), (0, KNEE))
    assert one.source is OrderSource.WORKLIST
    assert (one.description, one.study_instance_uid) == ("Knie re.", "1")


def once(*told: tuple[int, Order]) -> tuple[Order, ...]:
    """Join orders that were told so many minutes after noon."""
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return each_once([Told(order, noon + timedelta(minutes=minutes)) for minutes, order in told])


MESSAGE = evolve(KNEE, source=OrderSource.HL7, requested_procedure_id="R1")
CANCEL = evolve(MESSAGE, is_cancelled=True)
SECOND = evolve(MESSAGE, requested_procedure_id="R2", description="Patella re.")


def test_a_message_takes_back_what_the_worklist_said_before_and_not_after() -> None:
    assert once((0, KNEE), (1, CANCEL))[0].is_cancelled
    assert not once((2, KNEE), (1, CANCEL))[0].is_cancelled


def test_an_archive_does_not_know_whether_an_order_is_in_force() -> None:
    archived = evolve(KNEE, source=OrderSource.ARCHIVE)
    assert once((5, archived), (1, CANCEL))[0].is_cancelled
    assert not once((5, archived))[0].is_cancelled


def test_one_procedure_of_two_under_a_number_takes_only_itself_back() -> None:
    assert not once((0, SECOND), (1, CANCEL))[0].is_cancelled
    assert once((0, SECOND), (1, evolve(CANCEL, requested_procedure_id="")))[0].is_cancelled


def test_of_one_source_the_newer_word_counts() -> None:
    (one,) = once((0, MESSAGE), (1, SECOND))
    assert one.description == "Patella re."
