"""Objects get their rows once, and series follow."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from sqlalchemy import select

from qa_daemon.records.element import Element
from qa_daemon.records.receipt import Recording
from qa_daemon.records.states import SeriesState
from qa_daemon.store import instance_rows, leases, series_rows, tables
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Terms
from qa_daemon.store.recording import record
from qa_daemon.store.series_rows import SeriesFilter

At = Callable[[float], datetime]
TERMS = Terms(lease_s=60, attempts_max=3)


def test_a_new_series_is_being_received(store: Store, sender: Any, at: At) -> None:
    receipts = sender.receipts(3)
    answers = record(store, receipts, at(10))
    key = tables.series_key("1.2.3", "1.2.3.1")
    assert [answer.outcome for answer in answers] == [Recording.NEW] * 3
    assert {(answer.series_key, answer.revision) for answer in answers} == {(key, 1)}
    row = series_rows.series_row(store, key)
    assert row is not None
    assert row.state is SeriesState.RECEIVING
    assert (row.instance_count, row.modality, row.calling_ae) == (3, "CT", "CT1")
    assert (row.first_received_at, row.last_received_at) == (at(1), at(10))


def test_instances_come_back_as_they_were_with_their_spool_keys(
    store: Store, sender: Any, at: At
) -> None:
    receipts = sender.receipts(600)
    (first, *_) = record(store, receipts, at(0))
    fetched = instance_rows.instances_of(store, first.series_key, 1)
    assert list(fetched) == [
        attrs.evolve(
            receipt.instance, source=receipt.record.key, digest=receipt.record.data_set_sha256
        )
        for receipt in receipts
    ]


def test_recording_again_changes_nothing(store: Store, sender: Any, at: At) -> None:
    receipts = sender.receipts(4)
    first = record(store, receipts[:3], at(0))
    again = record(store, receipts, at(100))
    assert [answer.outcome for answer in again] == [Recording.KNOWN] * 3 + [Recording.NEW]
    assert [answer.kept_key for answer in again[:3]] == [answer.kept_key for answer in first]
    assert series_rows.counts(store).instances == 4


def test_the_same_bytes_again_are_only_counted_and_the_copy_is_to_go(
    store: Store, sender: Any, at: At
) -> None:
    first = sender.receipt(uid="1.5", digest="aa")
    copies = [sender.receipt(uid="1.5", digest="aa") for _ in range(3)]
    record(store, [first, copies[0]], at(0))
    answers = record(store, copies[1:], at(0))
    assert [(a.outcome, a.kept_key) for a in answers] == [(Recording.REPEAT, first.record.key)] * 2
    assert answers[0].revision == 1
    key = answers[0].series_key
    assert instance_rows.repeats_of(store, key) == 3
    going = [copy.record.key for copy in copies]
    assert sorted(instance_rows.removals_due(store)) == going
    # After a crash the copy may come by once more: it is on its way out and stays so.
    assert record(store, copies[:1], at(0))[0].outcome is Recording.KNOWN
    assert list(instance_rows.unknown_keys(store, [*going, "f" * 32])) == ["f" * 32]
    instance_rows.removed(store, going)
    assert instance_rows.removals_due(store) == ()
    assert instance_rows.repeats_of(store, key) == 3


def test_the_same_uid_with_other_bytes_keeps_both(store: Store, sender: Any, at: At) -> None:
    first, second = (sender.receipt(uid="1.5", digest=digest) for digest in ("aa", "bb"))
    third = sender.receipt(uid="1.5", digest="aa", syntax="1.2.840.10008.1.2.4.70")
    outcomes = [record(store, [one], at(0))[0].outcome for one in (first, second, third)]
    assert outcomes == [Recording.NEW, Recording.COLLIDING, Recording.COLLIDING]
    key = tables.series_key("1.2.3", "1.2.3.1")
    assert len(instance_rows.instances_of(store, key, 1)) == 3


def test_an_unreadable_object_has_a_row_and_no_series(store: Store, sender: Any, at: At) -> None:
    unreadable = sender.unreadable(digest="cc")
    (answer,) = record(store, [unreadable], at(0))
    assert (answer.outcome, answer.series_key, answer.revision) == (Recording.NEW, "", 0)
    (again,) = record(store, [sender.unreadable(digest="cc")], at(0))
    assert (again.outcome, again.kept_key) == (Recording.REPEAT, unreadable.record.key)
    counts = series_rows.counts(store)
    assert (counts.instances, counts.unreadable, counts.repeats) == (1, 1, 1)
    assert series_rows.series_list(store, SeriesFilter(), 10) == ()


@pytest.mark.parametrize("state", [s for s in SeriesState if s is not SeriesState.RECEIVING])
def test_a_late_instance_opens_the_next_revision_from_every_state(
    store: Store, sender: Any, at: At, state: SeriesState
) -> None:
    (first, *_) = record(store, sender.receipts(2), at(2))
    with store.writing() as connection:
        put = tables.series.update().values(state=state.value, lease_until=at(500), attempts=2)
        connection.execute(put)
    (late,) = record(store, [sender.receipt(ae="CT2", association="a2")], at(300))
    assert (late.series_key, late.revision) == (first.series_key, 2)
    row = series_rows.series_row(store, late.series_key)
    assert row is not None
    assert (row.state, row.revision, row.calling_ae) == (SeriesState.RECEIVING, 2, "CT2")
    assert (row.attempts, row.instance_count, row.last_received_at) == (0, 3, at(300))
    assert len(instance_rows.instances_of(store, late.series_key, 1)) == 2
    assert len(instance_rows.instances_of(store, late.series_key, 2)) == 3


def test_a_worker_on_the_older_revision_has_lost_its_lease(
    store: Store, sender: Any, at: At
) -> None:
    record(store, sender.receipts(1), at(0))
    (arrival,) = series_rows.arrivals(store)
    assert series_rows.settle(store, arrival, at(20))
    lease = leases.claim(store, [SeriesState.SETTLED], TERMS, at(21))
    assert lease is not None
    record(store, sender.receipts(1), at(22))
    assert leases.renew(store, lease, TERMS, at(23)) is None
    (later,) = series_rows.arrivals(store)
    assert later.revision == 2
    assert series_rows.settle(store, later, at(60))
    assert leases.renew(store, lease, TERMS, at(61)) is None


def test_text_that_no_database_takes_is_kept_as_far_as_it_can(
    store: Store, sender: Any, at: At
) -> None:
    odd = "1.2\x00.\udcff" + "9" * 70_000
    receipt = sender.receipt(odd, study=odd, uid=odd, ae="A\x00E", association=odd[:200])
    header = attrs.evolve(
        receipt.instance,
        elements={
            "Modality": Element("CS", ("C\x00\udcff",)),
            "PatientName": Element("PN", ()),
            "ReferencedImageSequence": Element("SQ", ({"Rows": Element("US", (1, 2.5))},)),
        },
    )
    (answer,) = record(store, [attrs.evolve(receipt, instance=header)], at(0))
    assert answer.outcome is Recording.NEW
    (fetched,) = instance_rows.instances_of(store, answer.series_key, 1)
    assert fetched.elements == header.elements
    assert fetched.series_instance_uid == odd
    row = series_rows.series_row(store, answer.series_key)
    assert row is not None
    assert row.modality == "C\ufffd\ufffd"


def test_many_threads_record_the_same_objects_once(store: Store, sender: Any, at: At) -> None:
    receipts = sender.receipts(20) + sender.receipts(20, "1.2.3.2")

    def some(begin: int) -> list[Recording]:
        chosen = [receipts[(begin + step) % 40] for step in range(25)]
        return [answer.outcome for answer in record(store, chosen, at(50))]

    with ThreadPoolExecutor(4) as pool:
        outcomes = [outcome for part in pool.map(some, range(0, 40, 5)) for outcome in part]
    assert outcomes.count(Recording.NEW) == 40
    assert set(outcomes) == {Recording.NEW, Recording.KNOWN}
    listed = series_rows.series_list(store, SeriesFilter(), 10)
    assert [row.instance_count for row in listed] == [20, 20]


def test_rows_without_a_record_are_named(store: Store, sender: Any, at: At) -> None:
    receipts = sender.receipts(520)
    record(store, receipts, at(0))
    lost = {receipts[3].record.key, receipts[510].record.key}
    assert set(instance_rows.rows_without_record(store, lambda key: key not in lost)) == lost


def test_a_repeat_takes_the_place_of_a_record_that_is_missing(
    store: Store, sender: Any, at: At
) -> None:
    first, copy = (sender.receipt(uid="1.5", digest="aa") for _ in range(2))
    record(store, [first], at(0))
    (repeat,) = record(store, [copy], at(1))
    assert instance_rows.stand_in(store, repeat)
    assert instance_rows.removals_due(store) == ()
    (kept,) = instance_rows.instances_of(store, repeat.series_key, 1)
    assert kept.source == copy.record.key
    assert list(instance_rows.rows_without_record(store, lambda key: key == kept.source)) == []
    assert not instance_rows.stand_in(store, repeat)


def test_a_deleted_object_may_come_again(store: Store, sender: Any, at: At) -> None:
    receipt = sender.receipt(uid="1.5", digest="aa")
    (answer,) = record(store, [receipt], at(0))
    series_rows.remove_series(store, answer.series_key, Operator("ana", at(5)))
    assert record(store, [receipt], at(6))[0].outcome is Recording.KNOWN
    again = sender.receipt(uid="1.5", digest="aa")
    assert record(store, [again], at(6))[0].outcome is Recording.NEW


def test_times_are_kept_to_the_microsecond_in_any_zone(store: Store, sender: Any, at: At) -> None:
    record(store, [sender.receipt()], at(1.000001))
    (arrival,) = series_rows.arrivals(store)
    assert arrival.last_received_at == at(1.000001)
    assert arrival.last_received_at.utcoffset() == timedelta(0)
    with store.reading() as connection:
        assert connection.scalar(select(tables.instances.c.received_at)) == at(1)


def test_an_odd_association_is_noted_once(store: Store, sender: Any, at: At) -> None:
    for _ in range(2):
        (answer,) = record(store, [sender.receipt(association="a\x00\udcff")], at(0))
        assert answer.outcome is Recording.NEW
    with store.reading() as connection:
        noted = connection.scalars(select(tables.series_associations.c.association_id)).all()
    assert noted == ["a\ufffd\ufffd"]
