"""What a judgement learns of the orders of a visit."""

from attrs import evolve

from qa_daemon.grounds.visit import VisitOrders, order_facts
from qa_daemon.records.element import Element
from qa_daemon.records.order import Code, Issuer, OrderKey
from qa_daemon.rules.looks.names import ORDER_FACTS
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


def test_a_cancelled_order_is_no_order_of_images_that_name_none() -> None:
    known = VisitOrders((evolve(KNEE, is_cancelled=True), HAND))
    unnamed = known.facts_of(series("1", {}))
    assert unnamed is not None
    assert unnamed["accession"] == ("A2",)


def test_codes_are_read_as_the_site_says() -> None:
    known = VisitOrders((KNEE, HAND))
    assert known.meant_by({}) is known
    meant = known.meant_by({"X1^99RIS": "OSG li. 2 Eb."})
    assert [order.regions[0].region for order in meant.orders] == ["ANKLE", "HAND"]
