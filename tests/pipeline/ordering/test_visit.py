"""What a judgement learns of the orders of a visit."""

from datetime import UTC, datetime, timedelta

from attrs import evolve

from qa_daemon.pipeline.ordering.visit import VisitOrders, _once, order_facts
from qa_daemon.records.element import Element
from qa_daemon.records.order import Code, Issuer, Order, OrderKey, OrderSource
from qa_daemon.rules.looks.names import ORDER_FACTS
from qa_daemon.store.visits.order_rows import Told
from tests.orders.conftest import order, series

KNEE = order("A1", "Knie re.", codes=(Code("X1", "99RIS"),))
HAND = order("A2", "Hand li.")


def test_every_fact_of_orders_is_told() -> None:
    facts = order_facts([evolve(KNEE, key=OrderKey("A1", Issuer("RIS"))), HAND])
    assert set(facts) == set(ORDER_FACTS)
    assert facts["count"] == ("2",)
    assert facts["accession"] == ("A1", "A2")
    assert facts["issuer"] == ("RIS",)
    assert facts["regions"] == ("KNEE", "HAND")
    assert facts["side"] == ("R", "L")
    assert facts["code"] == ("X1^99RIS",)
    assert facts["modality"] == ("DX",)


def test_a_series_hears_of_the_orders_that_it_names_else_of_all() -> None:
    known = VisitOrders((KNEE, HAND))
    named = known.facts_of(series("1", {"AccessionNumber": Element("SH", ("A2",))}))
    assert named is not None
    assert named["accession"] == ("A2",)
    unnamed = known.facts_of(series("1", {}))
    assert unnamed is not None
    assert unnamed["accession"] == ("A1", "A2")
    assert VisitOrders().facts_of(series("1", {})) is None


def test_an_order_that_two_sources_tell_of_is_one_the_surest_first() -> None:
    archived = evolve(KNEE, source=OrderSource.ARCHIVE, description="knee", study_instance_uid="1")
    (one,) = once((9, archived), (0, KNEE))
    assert one.source is OrderSource.WORKLIST
    assert (one.description, one.study_instance_uid) == ("Knie re.", "1")


def once(*told: tuple[int, Order]) -> tuple[Order, ...]:
    """Join orders that were told so many minutes after noon."""
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return _once([Told(order, noon + timedelta(minutes=minutes)) for minutes, order in told])


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


def test_a_cancelled_order_is_no_order_of_images_that_name_none() -> None:
    known = VisitOrders((evolve(KNEE, is_cancelled=True), HAND))
    unnamed = known.facts_of(series("1", {}))
    assert unnamed is not None
    assert unnamed["accession"] == ("A2",)
