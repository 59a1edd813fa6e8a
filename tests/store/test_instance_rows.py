"""Refused objects are noted, and not without bound."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from qa_daemon.records.finding import Rejection
from qa_daemon.records.receipt import Origin
from qa_daemon.store import instance_rows, tables
from qa_daemon.store.database import Store
from qa_daemon.store.instance_rows import Refusal
from qa_daemon.store.recording import record

At = Callable[[float], datetime]


def refusal(number: int, now: datetime) -> Refusal:
    return Refusal(
        rejection=Rejection(f"in/{number}\udcff.dcm", "not_dicom", "a text file", "magic-missing"),
        received_at=now,
        origin=Origin.FOLDER,
        quarantine_key="q1",
    )


def test_refused_objects_are_listed_the_latest_first(store: Store, at: At) -> None:
    for number in range(3):
        instance_rows.record_refusal(store, refusal(number, at(number)))
    latest = instance_rows.refusals(store, 2)
    assert [one.rejection.path for one in latest] == ["in/2\ufffd.dcm", "in/1\ufffd.dcm"]
    assert latest[0].rejection.kind == "magic-missing"
    assert (latest[0].origin, latest[0].received_at) == (Origin.FOLDER, at(2))
    assert (latest[0].quarantine_key, latest[0].spool_key) == ("q1", "")


def test_the_oldest_refusals_make_room(
    store: Store, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance_rows, "REJECTION_ROWS_MAX", 4)
    for number in range(10):
        instance_rows.record_refusal(store, refusal(number, at(number)))
    assert len(instance_rows.refusals(store, 100)) == 4


def test_numbers_that_other_studies_hold_are_found(store: Store, sender: Any, at: At) -> None:
    def came(series: str, study: str, *uids: str) -> None:
        receipts = [sender.receipt(series, study=study, uid=uid) for uid in uids]
        record(store, receipts, at(0))

    came("1.2.3.1", "1.2.3", "9.1", "9.2")
    came("1.2.3.2", "1.2.3", "9.1")  # of the same study
    key = tables.series_key("1.2.3", "1.2.3.1")
    assert instance_rows.held_elsewhere(store, key, 10) == ()
    came("1.2.3.1", "1.2.4", "9.2")  # moved as a whole
    assert instance_rows.held_elsewhere(store, key, 10) == ()
    came("1.2.4.5", "1.2.4", "9.2", "9.1")
    assert instance_rows.held_elsewhere(store, key, 10) == ("9.1", "9.2")
    assert instance_rows.held_elsewhere(store, key, 1) == ("9.1",)
