"""Orders and visits on both engines."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import evolve

from qa_daemon.records.element import Element
from qa_daemon.records.order import (
    Issuer,
    NamedRegion,
    Order,
    OrderKey,
    OrderSource,
    ScheduledStep,
    Told,
)
from qa_daemon.records.receipt import Receipt
from qa_daemon.store.database import Store
from qa_daemon.store.recording import record
from qa_daemon.store.tables import series_key, visit_key
from qa_daemon.store.visits import order_rows

At = Callable[[float], datetime]
KNEE = Order(
    OrderKey("A1", Issuer("RIS")),
    OrderSource.WORKLIST,
    patient_id="P1",
    description="Knie re.",
    steps=(ScheduledStep(modality="DX", date="20260301"),),
    regions=(NamedRegion("KNEE", "R", 1.0),),
)


def of(receipt: Receipt, patient: str, day: str = "20260301") -> Receipt:
    assert receipt.instance is not None
    elements = {
        **receipt.instance.elements,
        "PatientID": Element("LO", (patient,)),
        "StudyDate": Element("DA", (day,)),
    }
    return evolve(receipt, instance=evolve(receipt.instance, elements=elements))


def test_an_order_comes_back_as_it_was_told(store: Store, at: At) -> None:
    assert len(order_rows.keep(store, [KNEE], at(0))) == 1
    assert order_rows.orders_of(store, "P1", "20260301") == (Told(KNEE, at(0)),)
    assert order_rows.orders_of(store, "P1", "20260302") == ()
    assert order_rows.orders_of(store, "P2", "20260301") == ()


def test_another_issuer_s_patient_of_the_same_number_is_somebody_else(store: Store, at: At) -> None:
    order_rows.keep(store, [evolve(KNEE, issuer_of_patient_id="HOME")], at(0))
    assert order_rows.orders_of(store, "P1", "20260301", "AWAY") == ()
    for issuer in ("", "HOME"):
        assert len(order_rows.orders_of(store, "P1", "20260301", issuer)) == 1


def test_an_order_without_a_day_is_one_of_every_day(store: Store, at: At) -> None:
    whenever = evolve(KNEE, steps=())
    order_rows.keep(store, [whenever], at(0))
    assert order_rows.orders_of(store, "P1", "20260509") == (Told(whenever, at(0)),)


def test_only_what_is_new_is_news(store: Store, at: At) -> None:
    (key,) = order_rows.keep(store, [KNEE], at(0))
    assert order_rows.keep(store, [KNEE], at(1)) == ()
    assert order_rows.keep(store, [evolve(KNEE, is_cancelled=True)], at(2)) == (key,)
    assert order_rows.orders_of(store, "P1", "20260301")[0].order.is_cancelled


def test_two_sources_may_tell_of_one_order(store: Store, at: At) -> None:
    order_rows.keep(store, [KNEE, evolve(KNEE, source=OrderSource.HL7)], at(0))
    assert len(order_rows.orders_of(store, "P1", "20260301")) == 2


def test_text_that_no_database_holds_is_kept_as_far_as_it_goes(store: Store, at: At) -> None:
    odd = evolve(KNEE, patient_id="P\0\ud800", description="a\0b")
    order_rows.keep(store, [odd], at(0))
    assert len(order_rows.keep(store, [odd], at(1))) == 0


def test_orders_are_forgotten_when_nobody_speaks_of_them(store: Store, at: At) -> None:
    order_rows.keep(store, [KNEE], at(0))
    assert order_rows.forget(store, at(0)) == 0
    assert order_rows.forget(store, at(1)) == 1
    assert order_rows.orders_of(store, "P1", "20260301") == ()


def test_a_visit_is_due_until_somebody_was_asked(store: Store, sender: Any, at: At) -> None:
    record(store, [of(sender.receipt("1.1"), "P1"), of(sender.receipt("1.2"), "P1"),
                   of(sender.receipt("1.3"), "")], at(0))  # fmt: skip
    (visit,) = order_rows.due(store, at(-60), at(1), 10)
    assert visit.visit_key == visit_key("P1", "", "20260301")
    assert visit.series_key in {series_key("1.2.3", "1.1"), series_key("1.2.3", "1.2")}
    order_rows.asked(store, visit.visit_key, at(1), at(100), 3)
    assert order_rows.due(store, at(-60), at(99), 10) == ()
    (again,) = order_rows.due(store, at(-60), at(100), 10)
    assert again.attempts == 3
    order_rows.asked(store, visit.visit_key, at(101), at(200), 0)
    assert order_rows.due(store, at(-60), at(150), 10) == ()


def test_old_visits_are_due_no_more(store: Store, sender: Any, at: At) -> None:
    record(store, [of(sender.receipt("1.1"), "P1")], at(0))
    assert order_rows.due(store, at(3600), at(3600), 10) == ()


def test_members_of_a_visit_are_of_the_same_patient_and_day(
    store: Store, sender: Any, at: At
) -> None:
    told = [
        of(sender.receipt("1.1", study="1"), "P1"),
        of(sender.receipt("1.2", study="2"), "P1"),
        of(sender.receipt("1.3", study="3"), "P2"),
        of(sender.receipt("1.4", study="4"), "P1", "20260302"),
        sender.receipt("1.5", study="5"),
        sender.receipt("1.6", study="6"),
    ]
    record(store, told, at(0))
    keys = [(series_key("1", "1.1"), 1), (series_key("2", "1.2"), 1)]
    assert order_rows.members(store, series_key("1", "1.1"), 10) == tuple(keys)
    assert order_rows.members(store, series_key("2", "1.2"), 1) == tuple(keys[:1])
    assert order_rows.members(store, series_key("5", "1.5"), 10) == ()
