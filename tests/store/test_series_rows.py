"""Series settle, are listed, requeued, rechecked and deleted."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from qa_daemon.records.finding import (
    Finding,
    Level,
    Outcomes,
    Severity,
    Suggestion,
    Topic,
    Verdict,
)
from qa_daemon.records.inference import Inference
from qa_daemon.records.states import SeriesEvent, SeriesState, SuggestionState
from qa_daemon.store import instance_rows, leases, result_rows, series_rows, tables
from qa_daemon.store.audit.chain import AuditEntry
from qa_daemon.store.audit.entries import Operator, audit_entries
from qa_daemon.store.database import Store
from qa_daemon.store.instance_rows import Association
from qa_daemon.store.leases import Terms
from qa_daemon.store.migrations.everything import metadata
from qa_daemon.store.recording import record
from qa_daemon.store.result_rows import FindingFilter, Judgement
from qa_daemon.store.series_rows import SeriesFilter

At = Callable[[float], datetime]
TERMS = Terms(lease_s=60, attempts_max=3)
KEY = tables.series_key("1.2.3", "1.2.3.1")
FOUND = Finding(
    "R-1", Topic.GEOMETRY, Severity.MAJOR, Level.SERIES, "gap", suggestion=Suggestion(())
)
FLAGGED = Judgement(event=SeriesEvent.FLAG, verdict=Verdict((FOUND,), Outcomes()))
PASSED = Judgement(event=SeriesEvent.PASS, verdict=Verdict((), Outcomes()))


def put(store: Store, state: SeriesState) -> None:
    with store.writing() as connection:
        connection.execute(tables.series.update().values(state=state.value))


def judge(store: Store, judgement: Judgement, now: datetime) -> None:
    """Take every series to its verdict."""
    for arrival in series_rows.arrivals(store):
        assert series_rows.settle(store, arrival, now)
    while lease := leases.claim(store, [SeriesState.SETTLED], TERMS, now):
        assert result_rows.save_inference(store, lease, Inference(), now)
    while lease := leases.claim(store, [SeriesState.PREDICTED], TERMS, now):
        assert result_rows.save_judgement(store, lease, judgement, now)


# --- settling ------------------------------------------------------------------------------------


def test_a_series_that_grew_meanwhile_does_not_settle(store: Store, sender: Any, at: At) -> None:
    record(store, sender.receipts(2), at(2))
    (seen,) = series_rows.arrivals(store)
    assert seen.instance_count == 2
    record(store, sender.receipts(1), at(2))
    assert not series_rows.settle(store, seen, at(30))
    (seen,) = series_rows.arrivals(store)
    assert series_rows.settle(store, seen, at(30))
    assert not series_rows.settle(store, seen, at(31))
    assert series_rows.arrivals(store) == ()


def test_a_repetition_delays_a_series_that_is_being_received_and_no_other(
    store: Store, sender: Any, at: At
) -> None:
    copies = [sender.receipt(uid="1.5", digest="aa") for _ in range(3)]
    record(store, copies[:1], at(1))
    (before,) = series_rows.arrivals(store)
    record(store, copies[1:2], at(15))
    (after,) = series_rows.arrivals(store)
    assert (before.last_received_at, after.last_received_at) == (at(1), at(15))
    assert not series_rows.settle(store, before, at(21))
    assert series_rows.settle(store, after, at(40))
    (again,) = record(store, copies[2:], at(50))
    row = series_rows.series_row(store, again.series_key)
    assert row is not None
    assert (row.state, row.revision, row.last_received_at) == (SeriesState.SETTLED, 1, at(15))


def test_associations_have_ended_when_all_that_brought_the_revision_have(
    store: Store, sender: Any, at: At
) -> None:
    def has_ended() -> bool:
        (arrival,) = series_rows.arrivals(store)
        return arrival.associations_ended

    for name in ("a1", "a2"):
        association = Association(
            id=name, calling_ae="CT1", called_ae="QA", peer_address="10.0.0.1", opened_at=at(0)
        )
        instance_rows.association_opened(store, association)
        instance_rows.association_opened(store, association)
    record(store, [sender.receipt(association="a1"), sender.receipt(association="a2")], at(1))
    assert not has_ended()
    instance_rows.association_ended(store, "a1", at(2))
    assert not has_ended()
    assert instance_rows.end_open_associations(store, at(3)) == 1
    assert has_ended()
    assert instance_rows.end_open_associations(store, at(4)) == 0
    record(store, [sender.receipt(association="")], at(5))
    assert not has_ended()


def test_a_later_series_of_the_study_from_the_same_sender_is_told(
    store: Store, sender: Any, at: At
) -> None:
    first = sender.receipt("1.2.3.1")
    foreign = [
        sender.receipt("1.2.3.2", ae="CT2"),
        sender.receipt("1.2.4.1", study="1.2.4"),
    ]
    record(store, [first, *foreign], at(3))
    told = {one.series_instance_uid: one.later_series_begun_at for one in arrivals_of(store)}
    assert set(told.values()) == {None}
    record(store, [sender.receipt("1.2.3.3")], at(9))
    told = {one.series_instance_uid: one.later_series_begun_at for one in arrivals_of(store)}
    assert told == {"1.2.3.1": at(4), "1.2.3.2": None, "1.2.4.1": None, "1.2.3.3": None}


def arrivals_of(store: Store) -> Any:
    return series_rows.arrivals(store)


# --- looking -------------------------------------------------------------------------------------


def test_series_are_listed_by_what_is_asked(store: Store, sender: Any, at: At) -> None:
    record(store, [sender.receipt("1.2.3.1")], at(1))
    record(store, [sender.receipt("1.2.3.2", ae="CT2")], at(2))
    record(store, [sender.receipt("1.2.4.1", study="1.2.4")], at(3))

    def uids(**wanted: Any) -> list[str]:
        rows = series_rows.series_list(store, SeriesFilter(**wanted), 10)
        return [row.series_instance_uid for row in rows]

    assert uids() == ["1.2.4.1", "1.2.3.2", "1.2.3.1"]
    assert uids(study_instance_uid="1.2.3") == ["1.2.3.2", "1.2.3.1"]
    assert uids(calling_ae="CT2") == ["1.2.3.2"]
    assert uids(modality="MR") == []
    assert uids(received_since=at(3)) == ["1.2.4.1"]
    assert uids(states=(SeriesState.RECEIVING,), modality="CT", received_since=at(2)) == [
        "1.2.4.1",
        "1.2.3.2",
    ]
    assert uids(states=(SeriesState.CLEAN, SeriesState.WAITING)) == []
    assert len(series_rows.series_list(store, SeriesFilter(), 2)) == 2


def test_a_series_is_found_by_the_beginning_of_its_key(store: Store, sender: Any, at: At) -> None:
    record(store, [sender.receipt("1.2.3.1"), sender.receipt("1.2.3.2")], at(1))
    for key in (KEY, KEY[:8]):
        row = series_rows.series_row(store, key)
        assert row is not None
        assert row.series_instance_uid == "1.2.3.1"
    assert series_rows.series_row(store, "") is None
    assert series_rows.series_row(store, "%") is None
    assert series_rows.series_row(store, KEY[:-1] + "x") is None


def test_siblings_are_the_other_series_of_the_study(store: Store, sender: Any, at: At) -> None:
    record(store, [sender.receipt(f"1.2.3.{number}") for number in range(1, 4)], at(1))
    record(store, [sender.receipt("1.2.4.1", study="1.2.4")], at(1))
    found = [row.series_instance_uid for row in series_rows.siblings(store, KEY, 50)]
    assert found == ["1.2.3.2", "1.2.3.3"]
    assert series_rows.siblings(store, "0" * 24, 50) == ()


def test_counts_count(store: Store, sender: Any, at: At) -> None:
    assert series_rows.counts(store) == series_rows.Counts()
    record(store, [*sender.receipts(3), sender.unreadable()], at(1))
    judge(store, FLAGGED, at(30))
    record(store, sender.receipts(2, "1.2.3.2"), at(60))
    counted = series_rows.counts(store)
    assert counted.series == {SeriesState.WAITING: 1, SeriesState.RECEIVING: 1}
    assert (counted.instances, counted.unreadable, counted.repeats) == (6, 1, 0)
    assert counted.suggestions == {SuggestionState.OPEN: 1}


# --- operators -----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(SeriesState))
def test_only_a_quarantined_series_is_requeued(
    store: Store, sender: Any, at: At, state: SeriesState
) -> None:
    record(store, sender.receipts(1), at(1))
    put(store, state)
    done = series_rows.requeue(store, KEY, Operator("ana", at(9)))
    assert done == (state is SeriesState.QUARANTINED)
    row = series_rows.series_row(store, KEY)
    assert row is not None
    assert row.state is (SeriesState.SETTLED if done else state)
    noted = audit_entries(store, 10)
    entry = AuditEntry(
        at=at(9), who="ana", action="requeue", subject=KEY, detail="", study_instance_uid="1.2.3"
    )
    assert noted == ((entry,) if done else ())


@pytest.mark.parametrize("state", list(SeriesState))
def test_only_what_nobody_has_decided_is_judged_again(
    store: Store, sender: Any, at: At, state: SeriesState
) -> None:
    record(store, sender.receipts(1), at(1))
    put(store, state)
    again = series_rows.recheck(store, SeriesFilter(), Operator("ana", at(9)))
    expected = state in {SeriesState.CLEAN, SeriesState.WAITING}
    assert again == ((KEY,) if expected else ())
    assert len(audit_entries(store, 10)) == expected


def test_a_recheck_takes_the_days_or_the_series_asked_for(
    store: Store, sender: Any, at: At
) -> None:
    for number in (1, 2, 3):
        record(store, [sender.receipt(f"1.2.3.{number}")], at(number * 100))
    judge(store, PASSED, at(400))
    operator = Operator("ana", at(500))
    wanted = SeriesFilter(received_since=at(200))
    assert len(series_rows.recheck(store, wanted, operator)) == 2
    assert series_rows.recheck(store, SeriesFilter(), operator, KEY) == (KEY,)
    assert series_rows.recheck(store, SeriesFilter(), operator) == ()


def test_a_deleted_series_leaves_nothing_but_the_audit(store: Store, sender: Any, at: At) -> None:
    receipts = sender.receipts(3)
    record(store, receipts, at(1))
    study = Judgement(event=SeriesEvent.FLAG, verdict=FLAGGED.verdict, study=FLAGGED.verdict)
    judge(store, study, at(30))
    keys = series_rows.remove_series(store, KEY, Operator("ana", at(99)))
    assert list(keys) == [receipt.record.key for receipt in receipts]
    assert sorted(instance_rows.removals_due(store)) == sorted(keys)
    assert series_rows.series_row(store, KEY) is None
    assert series_rows.remove_series(store, KEY, Operator("ana", at(99))) == ()
    with store.reading() as connection:
        for table in metadata.sorted_tables:
            left = len(connection.execute(table.select()).all())
            assert left == {"removals": 3, "audit": 1}.get(table.name, 0), table.name
    (entry,) = audit_entries(store, 10)
    assert (entry.action, entry.subject, entry.detail) == ("delete", KEY, "3 objects")


def test_what_is_said_of_a_study_stays_while_one_of_its_series_does(
    store: Store, sender: Any, at: At
) -> None:
    record(store, [sender.receipt("1.2.3.1"), sender.receipt("1.2.3.2")], at(1))
    study = Judgement(event=SeriesEvent.PASS, verdict=PASSED.verdict, study=FLAGGED.verdict)
    judge(store, study, at(30))
    series_rows.remove_series(store, KEY, Operator("ana", at(99)))
    (row,) = result_rows.finding_list(store, FindingFilter(), 10)
    assert (row.series_key, row.study_instance_uid) == ("", "1.2.3")
    assert result_rows.study_outcomes(store, "1.2.3") == Outcomes()
    other = tables.series_key("1.2.3", "1.2.3.2")
    series_rows.remove_series(store, other, Operator("ana", at(99)))
    assert result_rows.finding_list(store, FindingFilter(), 10) == ()
    assert result_rows.study_outcomes(store, "1.2.3") is None


def test_an_unreadable_object_is_deleted_alone(store: Store, sender: Any, at: At) -> None:
    readable, unreadable = sender.receipt(), sender.unreadable()
    record(store, [readable, unreadable], at(1))
    operator = Operator("ana", at(9))
    assert series_rows.remove_unreadable(store, readable.record.key, operator) == ()
    gone = series_rows.remove_unreadable(store, unreadable.record.key, operator)
    assert gone == (unreadable.record.key,) == instance_rows.removals_due(store)
    assert series_rows.counts(store).instances == 1
