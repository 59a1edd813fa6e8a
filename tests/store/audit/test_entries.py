"""The audit is one chain, whoever appends; what is changed in it shows, and where."""

import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from qa_daemon.store.audit import entries
from qa_daemon.store.audit.chain import BEGINNING, AuditEntry, Sealed, digest, verdict
from qa_daemon.store.audit.entries import Concerned, Deed, Operator
from qa_daemon.store.database import Store
from qa_daemon.store.recording import record
from qa_daemon.store.tables import audit, series_key

At = Callable[[float], datetime]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def appended(store: Store, count: int, at: At) -> None:
    for number in range(count):
        entries.note(store, Operator("ana", at(number)), Deed(action="view", subject=str(number)))


def test_every_entry_hangs_on_the_one_before_it(store: Store, at: At) -> None:
    appended(store, 4, at)
    lying = list(entries.entries_after(store))
    assert lying[0].previous == BEGINNING
    assert [each.previous for each in lying[1:]] == [each.chain for each in lying[:-1]]
    found = verdict(lying)
    assert (found.broken, found.sealed, found.head) == (None, 4, lying[-1].chain)


@pytest.mark.parametrize(
    "column", ["who", "action", "subject", "detail", "address", "patient_id", "patient_name",
               "study_instance_uid"]
)  # fmt: skip
def test_a_changed_word_is_found_at_its_entry(store: Store, at: At, column: str) -> None:
    appended(store, 4, at)
    third = list(entries.entries_after(store))[2].id
    with store.writing() as connection:
        connection.execute(update(audit).where(audit.c.id == third).values({column: "other"}))
    found = verdict(entries.entries_after(store))
    assert (found.broken, found.sealed) == (third, 2)
    assert "words" in found.reason


def test_an_entry_that_was_taken_out_is_missed_at_the_next(store: Store, at: At) -> None:
    appended(store, 4, at)
    ids = [each.id for each in entries.entries_after(store)]
    with store.writing() as connection:
        connection.execute(delete(audit).where(audit.c.id == ids[1]))
    found = verdict(entries.entries_after(store))
    assert (found.broken, found.sealed) == (ids[2], 1)


def test_entries_cut_off_at_the_end_are_missed_by_who_noted_the_last_digest(
    store: Store, at: At
) -> None:
    appended(store, 4, at)
    noted = verdict(entries.entries_after(store)).head
    appended(store, 1, at)
    assert verdict(entries.entries_after(store), noted).broken is None
    ids = [each.id for each in entries.entries_after(store)]
    with store.writing() as connection:
        connection.execute(delete(audit).where(audit.c.id >= ids[3]))
    assert verdict(entries.entries_after(store)).broken is None
    assert verdict(entries.entries_after(store), noted).broken == ids[2]


def test_rows_from_before_the_chain_stand_before_it_only(store: Store, at: At) -> None:
    old = {"at": at(0), "who": "ana", "action": "delete", "subject": "k", "detail": ""}
    with store.writing() as connection:
        connection.execute(insert(audit).values(**old))
    appended(store, 2, at)
    assert verdict(entries.entries_after(store)).older == 1
    with store.writing() as connection:
        connection.execute(insert(audit).values(**old))
    assert "past the chain" in verdict(entries.entries_after(store)).reason


def test_the_database_itself_refuses_a_fork(store: Store, at: At) -> None:
    appended(store, 1, at)
    with store.reading() as connection:
        row = dict(connection.execute(select(audit)).mappings().one())
    del row["id"]
    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.execute(insert(audit).values(**row))


def _append_many(url: str, name: str, count: int) -> None:
    with Store(url, 30.0) as store:
        for number in range(count):
            deed = Deed(action="view", subject=str(number))
            entries.note(store, Operator(name, datetime.now(UTC)), deed)


def test_processes_that_append_at_once_make_one_chain(url: str) -> None:
    spawning = multiprocessing.get_context("spawn")
    processes = [spawning.Process(target=_append_many, args=(url, name, 25)) for name in "abc"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    with Store(url, 5.0) as store:
        found = verdict(entries.entries_after(store))
    assert (found.broken, found.sealed) == (None, 75)


def test_a_view_names_the_patient_and_the_study(store: Store, sender: Any, at: At) -> None:
    receipt = sender.receipt("1.2.3.1")
    record(store, [receipt], at(0))
    entries.note_view(store, Operator("ana", at(1), "10.0.0.9"), series_key("1.2.3", "1.2.3.1"))
    (entry,) = entries.audit_entries(store, 9)
    assert (entry.action, entry.study_instance_uid) == ("view", "1.2.3")
    assert entry.address == "10.0.0.9"


def test_names_that_no_database_holds_are_sealed_as_they_are_kept(store: Store, at: At) -> None:
    hostile = "A\0\ud800<script>\u202e" + "x" * 70_000
    deed = Deed(action="view", subject=hostile, concerned=Concerned(patient_name=hostile))
    entries.note(store, Operator(hostile, at(0)), deed)
    assert verdict(entries.entries_after(store)).broken is None
    (entry,) = entries.audit_entries(store, 1)
    assert len(entry.patient_name) == entries.TEXT_LENGTH_MAX


def test_a_rolled_back_deed_leaves_no_entry_and_no_gap(store: Store, at: At) -> None:
    appended(store, 1, at)
    with pytest.raises(ZeroDivisionError):
        _note_and_fail(store, Operator("ana", at(1)))
    appended(store, 1, at)
    assert verdict(entries.entries_after(store)).sealed == 2


def _note_and_fail(store: Store, operator: Operator) -> None:
    with store.writing() as connection:
        entries.note_audit(connection, operator, "accept", "finding 1")
        raise ZeroDivisionError


@given(st.lists(st.text(max_size=20), min_size=11, max_size=11), st.integers(0, 12))
def test_no_two_entries_that_differ_have_one_digest(words: list[str], outcome: int) -> None:
    names = ["who", "action", "subject", "detail", "address"]
    entry = AuditEntry(at=NOON, outcome=outcome, **dict(zip(names, words, strict=False)))
    moved = AuditEntry(
        at=NOON, outcome=outcome, **dict(zip(names, words[1:5] + words[:1], strict=False))
    )
    assert (digest(entry, "") == digest(moved, "")) == (entry == moved)
    assert verdict([Sealed(1, entry, BEGINNING, digest(entry, BEGINNING))]).broken is None
