"""The index: rows follow records, whatever the store and the objects do."""

import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from attrs import evolve

from qa_daemon.config.settings import Acknowledge, ReceiverSettings
from qa_daemon.intake.admission import INDEX_LATE, SPOOL_UNWRITABLE, STORED, Answer
from qa_daemon.intake.door import Sender, StorePassage
from qa_daemon.intake.index import Index, Ticket
from qa_daemon.intake.upper_layer.command import C_STORE_RQ, Command
from qa_daemon.limits import Limits
from qa_daemon.records.instance import Instance
from qa_daemon.records.receipt import Envelope, Origin, Recording
from qa_daemon.store import series_rows
from qa_daemon.telemetry import log as telemetry
from qa_daemon.telemetry.facts import Pseudonyms
from tests.intake.conftest import (
    CT_IMAGE,
    DEADLINE_S,
    EXPLICIT_LITTLE,
    Service,
    data_set,
    eventually,
    slice_file,
)

Serve = Callable[..., Service]
SENDER = Sender(
    association_id="a1", peer_address="10.1.2.3", calling_ae="CT1", called_ae="QADAEMON"
)
SETTINGS = ReceiverSettings(port=0)


def passage(service: Service, uid: str = "1.2.3.1") -> StorePassage:
    command = Command(C_STORE_RQ, 1, has_data_set=True, sop_class_uid=CT_IMAGE.encode(),
                      sop_instance_uid=uid.encode())  # fmt: skip
    return service.door.open(command, EXPLICIT_LITTLE, SENDER)


def store(service: Service, content: bytes, uid: str = "1.2.3.1") -> Answer:
    through = passage(service, uid)
    through.write(memoryview(content))
    return through.finish()


def spooled(service: Service, content: bytes, origin: Origin = Origin.CSTORE) -> str:
    """Write a record that the index is not told of, as a crash leaves it."""
    envelope = Envelope(received_at=datetime.now(UTC), origin=origin, association_id="a1")
    with service.spool.begin(envelope) as writer:
        writer.write(content)
        return writer.commit().key


def test_records_without_a_row_are_adopted(serve: Serve) -> None:
    service = serve()
    for number in range(250):
        spooled(service, slice_file(f"1.2.3.{number}"))
    spooled(service, slice_file("1.2.3.7"))
    spooled(service, b"garbage")
    assert service.index.adopt() == 252
    assert len(service.rows()) == 250
    assert len(service.contents()) == 251
    assert service.index.adopt() == 0


def test_an_unreadable_file_in_the_spool_is_let_go_of_at_the_start(serve: Serve) -> None:
    service = serve()
    spooled(service, b"garbage", Origin.FOLDER)
    assert service.index.adopt() == 1
    assert not service.contents()


def test_a_record_whose_bytes_changed_is_an_alarm_and_stays(serve: Serve) -> None:
    service = serve()
    key = spooled(service, slice_file("1.2.3.1"))
    (path,) = (service.state / "spool" / "records").rglob(f"{key}*")
    content = bytearray(path.read_bytes())
    content[-200] ^= 1
    path.write_bytes(content)
    assert service.index.adopt() == 0
    assert path.exists()
    assert not service.rows()


def test_a_second_record_that_a_crash_left_is_removed_at_the_start(serve: Serve) -> None:
    service = serve()
    assert store(service, data_set()) == STORED
    eventually(lambda: len(service.rows()) == 1, "no row")
    (first,) = service.contents()
    offset = service.spool.envelope(first).data_set_offset
    again = spooled(service, service.spool.content(first)[offset:])
    service.index.adopt()
    assert list(service.contents()) == [first]
    assert again != first


def test_a_lost_record_is_an_alarm_and_a_repeat_takes_its_place(
    serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    service = serve()
    assert store(service, data_set()) == STORED
    eventually(lambda: len(service.rows()) == 1, "no row")
    (lost,) = service.contents()
    service.spool.remove(lost)
    telemetry.start("info", "json", Pseudonyms(b"k" * 32))
    service.index.adopt()
    telemetry.stop()
    assert "store.lost" in capfd.readouterr().err
    assert store(service, data_set()) == STORED
    eventually(lambda: [row.source for row in service.rows()] != [lost], "nothing took its place")
    (row,) = service.rows()
    assert service.spool.content(row.source).endswith(data_set())
    service.index.adopt()
    assert list(service.contents()) == [row.source]


def test_the_association_of_objects_ends_behind_them(serve: Serve) -> None:
    service = serve()
    service.door.association_opened(SENDER)
    store(service, data_set())
    eventually(lambda: service.index.lag_s() == 0.0, "the index is late")
    assert not series_rows.arrivals(service.store)[0].associations_ended
    service.door.association_ended(SENDER.association_id)
    eventually(lambda: series_rows.arrivals(service.store)[0].associations_ended, "not ended")


def test_a_locked_store_delays_rows_and_then_refuses_objects(serve: Serve) -> None:
    service = serve(receiver_settings=evolve(SETTINGS, index_lag_s=0.3))
    locked = sqlite3.connect(service.state / "store.sqlite", isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    assert store(service, data_set()) == STORED
    eventually(service.index.is_late, "never late")
    assert store(service, data_set("1.2.3.2"), "1.2.3.2") == INDEX_LATE
    locked.execute("ROLLBACK")
    locked.close()
    eventually(lambda: service.uids() == ["1.2.3.1"], "the row never came")
    eventually(lambda: not service.index.is_late(), "late for ever")
    assert store(service, data_set("1.2.3.2"), "1.2.3.2") == STORED


def test_with_acknowledge_database_a_locked_store_refuses_at_once(serve: Serve) -> None:
    settings = evolve(SETTINGS, index_lag_s=0.2, acknowledge=Acknowledge.DATABASE)
    service = serve(receiver_settings=settings)
    locked = sqlite3.connect(service.state / "store.sqlite", isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    assert store(service, data_set()) == INDEX_LATE
    locked.execute("ROLLBACK")
    locked.close()
    eventually(lambda: not service.index.is_late(), "late for ever")
    assert store(service, data_set()) == STORED
    assert service.uids() == ["1.2.3.1"]
    assert len(service.contents()) == 1


def test_a_store_that_stays_locked_does_not_hold_up_the_stop(serve: Serve) -> None:
    service = serve()
    locked = sqlite3.connect(service.state / "store.sqlite", isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    assert store(service, data_set()) == STORED
    stopping = threading.Thread(target=service.index.stop, args=(0.1,))
    stopping.start()
    stopping.join(DEADLINE_S)
    assert not stopping.is_alive()
    locked.execute("ROLLBACK")
    locked.close()
    service.close()
    assert serve().uids() == ["1.2.3.1"]


def test_an_object_that_breaks_the_reader_does_not_stop_the_others(serve: Serve) -> None:
    service = serve()

    def read(content: memoryview, _key: str) -> Instance:
        raise RecursionError(len(content))

    index = Index(service.spool, service.store, read, 30.0)
    index.start()
    key = spooled(service, slice_file("1.2.3.1"))
    ticket = index.submit(service.spool.record(key), service.spool.envelope(key))
    assert ticket.wait(DEADLINE_S)
    index.stop(DEADLINE_S)
    assert ticket.rejection is not None
    assert ticket.rejection.kind == "bug"
    assert service.spool.has(key)


def test_a_record_that_breaks_the_store_does_not_take_others_along(serve: Serve) -> None:
    service = serve()

    def read(_content: memoryview, key: str) -> Instance:
        broken = object() if key == bad else "1.2.3"
        return Instance("1.2", broken, key, CT_IMAGE, EXPLICIT_LITTLE, {})  # type: ignore[arg-type]  # on purpose

    keys = [spooled(service, slice_file(f"1.2.3.{number}")) for number in range(3)]
    bad = keys[1]
    index = Index(service.spool, service.store, read, 30.0)
    tickets = [index.submit(service.spool.record(key), service.spool.envelope(key)) for key in keys]
    index.start()
    assert all(ticket.wait(DEADLINE_S) for ticket in tickets)
    index.stop(DEADLINE_S)
    assert [outcome(ticket) for ticket in tickets] == [Recording.NEW, None, Recording.NEW]
    assert all(service.spool.has(key) for key in keys)


def outcome(ticket: Ticket) -> Recording | None:
    return ticket.recorded.outcome if ticket.recorded else None


def test_a_spool_that_cannot_be_written_refuses_and_recovers(serve: Serve) -> None:
    service = serve()
    partial = service.state / "spool" / "partial"
    partial.rmdir()
    assert store(service, data_set()) == SPOOL_UNWRITABLE
    partial.mkdir()
    assert store(service, data_set()) == STORED


def test_a_spool_that_fails_at_the_commit_refuses(serve: Serve) -> None:
    service = serve()
    through = passage(service)
    through.write(memoryview(data_set()))
    (service.state / "spool" / "records").rename(service.state / "elsewhere")
    assert through.finish() == SPOOL_UNWRITABLE
    (service.state / "elsewhere").rename(service.state / "spool" / "records")


def test_a_quarantine_that_cannot_be_written_changes_no_answer(serve: Serve) -> None:
    service = serve(limits=Limits(object_bytes_max=100))
    (service.state / "spool" / "quarantine").rmdir()
    assert store(service, data_set()).status == 0xC001
    assert not service.refusals()


def test_what_is_abandoned_leaves_nothing(serve: Serve) -> None:
    service = serve()
    through = passage(service)
    through.write(memoryview(data_set()))
    through.abandon()
    assert not list((service.state / "spool" / "partial").iterdir())
    refused = service.door.open(Command(C_STORE_RQ, 1, has_data_set=True), "1.2", SENDER)
    refused.abandon()
    assert not service.contents()


def unread(_content: memoryview, key: str) -> Instance:
    raise NotImplementedError(key)  # the index is not started


@pytest.mark.parametrize("count", [0, 1])
def test_the_lag_is_that_of_the_oldest_record(serve: Serve, count: int) -> None:
    service = serve()
    index = Index(service.spool, service.store, unread, 0.0)
    for _ in range(count):
        key = spooled(service, slice_file("1.2.3.1"))
        index.submit(service.spool.record(key), service.spool.envelope(key))
    assert index.is_late() == bool(count)
