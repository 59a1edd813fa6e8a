"""What failures of a database mean, on real databases that fail."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from qa_daemon.errors import ConfigurationError, RetryableError
from qa_daemon.store import series_rows
from qa_daemon.store.database import Store, StoreDamaged, StoreUnavailable
from qa_daemon.store.recording import record

At = Callable[[float], datetime]


@pytest.fixture
def sqlite_file(tmp_path: Path, prepared_sqlite: Path) -> Path:
    file = tmp_path / "qa.sqlite"
    file.write_bytes(prepared_sqlite.read_bytes())
    return file


def sqlite_store(file: Path) -> Store:
    return Store(f"sqlite:///{file}", lock_timeout_s=0.05)


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "mysql://u:geheim@h/d", "sqlite://", "sqlite:///:memory:", "oracle+x://h/d"],
)
def test_a_url_that_is_not_served_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"store\.url") as refusal:
        Store(url, lock_timeout_s=1)
    assert "geheim" not in str(refusal.value)


def execute(store: Store, *statements: str) -> None:
    with store.writing() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_a_transaction_is_whole_or_not_at_all(store: Store) -> None:
    insertion = "INSERT INTO removals (spool_key, at) VALUES ('k', '2026-01-01 00:00:00.000000')"
    with pytest.raises(IntegrityError):
        execute(store, insertion, insertion)
    with store.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM removals")) == 0


def test_a_reader_is_not_kept_waiting_by_a_writer(store: Store, sender: Any, at: At) -> None:
    with store.writing() as connection:
        connection.execute(text("DELETE FROM series"))
        assert series_rows.counts(store).instances == 0
    record(store, sender.receipts(1), at(0))
    assert series_rows.counts(store).instances == 1


def test_two_stores_that_write_at_once_wait_for_each_other(
    url: str, store: Store, sender: Any, at: At
) -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store.taking_turns():
            inside.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(10)
    with Store(url, lock_timeout_s=0.05) as other:
        with pytest.raises(StoreUnavailable) as told:
            record(other, sender.receipts(1), at(0))
        assert isinstance(told.value, RetryableError)
        leave.set()
        holder.join(10)
        assert len(record(other, sender.receipts(1), at(0))) == 1


def test_threads_of_one_store_wait_in_turn(sqlite_file: Path) -> None:
    with sqlite_store(sqlite_file) as store, store.writing():
        caught: list[BaseException] = []

        def write() -> None:
            try:
                with store.writing():
                    pass
            except StoreUnavailable as error:
                caught.append(error)

        thread = threading.Thread(target=write)
        thread.start()
        thread.join(10)
    assert "another thread" in str(caught[0])


def test_connections_that_are_all_in_use_are_unavailable(sqlite_file: Path) -> None:
    with sqlite_store(sqlite_file) as store:
        readers = [store.reading() for _ in range(18)]
        for reader in readers:
            reader.__enter__()
        with pytest.raises(StoreUnavailable, match="all connections"), store.reading():
            pass
        for reader in readers:
            reader.__exit__(None, None, None)


@pytest.mark.parametrize("damage", ["scribbled", "header"])
def test_a_damaged_file_says_how_to_rebuild(
    sqlite_file: Path, damage: str, sender: Any, at: At
) -> None:
    with sqlite_store(sqlite_file) as store:
        record(store, sender.receipts(300), at(0))
    content = bytearray(sqlite_file.read_bytes())
    begin, end = {"scribbled": (4096, len(content)), "header": (0, 64)}[damage]
    content[begin:end] = b"\xa5" * (end - begin)
    sqlite_file.write_bytes(content)
    with (
        sqlite_store(sqlite_file) as store,
        pytest.raises(StoreDamaged, match="qa-daemon rebuild"),
    ):
        record(store, sender.receipts(1), at(0))


def test_a_folder_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    with (
        sqlite_store(tmp_path / "gone" / "qa.sqlite") as store,
        pytest.raises(StoreUnavailable, match="unable to open"),
        store.writing(),
    ):
        pass


def test_a_file_that_may_not_be_written_is_unavailable(sqlite_file: Path) -> None:
    """As root every file may be written, so SQLite itself is told that this one may not."""
    with sqlite_store(sqlite_file) as store:
        with store.writing() as connection:
            connection.execute(text("PRAGMA query_only=ON"))
        with pytest.raises(StoreUnavailable, match="readonly"), store.writing() as connection:
            connection.execute(text("DELETE FROM series"))


FULL = """
import resource, signal, sys
from datetime import UTC, datetime
from qa_daemon.store.database import Store, StoreUnavailable
from qa_daemon.store.instance_rows import Refusal, record_refusal
from qa_daemon.records.finding import Rejection
from qa_daemon.records.receipt import Origin
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
now = datetime.now(UTC)
def note(store, length):
    rejection = Rejection("p", "limit", "x" * length)
    record_refusal(store, Refusal(rejection=rejection, received_at=now, origin=Origin.FOLDER))
with Store(sys.argv[1], 1.0) as store:
    note(store, 10)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19))
    try:
        note(store, 1 << 20)
    except StoreUnavailable as error:
        print(error)
"""


def test_a_full_disk_is_unavailable_and_harms_nothing(sqlite_file: Path) -> None:
    """A file size limit of the process stands for the full disk."""
    command = [sys.executable, "-c", FULL, f"sqlite:///{sqlite_file}"]
    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  own text
    assert "look at the disk" in told.stdout
    with sqlite3.connect(sqlite_file) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert plain.execute("SELECT count(*) FROM rejections").fetchone() == (1,)
    plain.close()


def test_a_bug_is_not_taken_for_weather(store: Store) -> None:
    with (
        pytest.raises(Exception, match="no_such_table") as raised,
        store.reading() as connection,
    ):
        connection.execute(text("SELECT * FROM no_such_table"))
    assert not isinstance(raised.value, RetryableError | ConfigurationError)


def test_durability_is_not_left_to_defaults(sqlite_file: Path) -> None:
    with sqlite_store(sqlite_file) as store, store.reading() as connection:
        for pragma, value in {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}.items():
            assert connection.scalar(text(f"PRAGMA {pragma}")) == value


# --- PostgreSQL only -----------------------------------------------------------------------------


def test_a_server_that_is_away_is_unavailable(tmp_path: Path) -> None:
    url = f"postgresql://u:geheim@/d?host={tmp_path}"
    with (
        Store(url, lock_timeout_s=1) as store,
        pytest.raises(StoreUnavailable, match="does not answer") as told,
        store.reading(),
    ):
        pass
    assert "geheim" not in str(told.value)


def test_a_server_that_ends_the_connection_is_unavailable_once(cluster: Any) -> None:
    with Store(cluster.prepared(), 1.0) as store:
        with pytest.raises(StoreUnavailable):
            execute(store, "SELECT pg_terminate_backend(pg_backend_pid())")
        assert series_rows.counts(store).instances == 0


def test_a_statement_that_is_stuck_is_ended(cluster: Any) -> None:
    with Store(cluster.prepared(), 0.02) as store, pytest.raises(StoreUnavailable, match="57014"):
        execute(store, "SELECT pg_sleep(30)")


def test_a_server_that_only_reads_is_unavailable(cluster: Any) -> None:
    with Store(cluster.prepared(), 1.0) as store, pytest.raises(StoreUnavailable, match="25006"):
        execute(store, "SET TRANSACTION READ ONLY", "DELETE FROM series")


@pytest.mark.parametrize("state", ["XX001", "XX002"])
def test_damage_that_the_server_reports_says_how_to_rebuild(cluster: Any, state: str) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'torn page' USING ERRCODE = '{state}'; END $$"
    with (
        Store(cluster.prepared(), 1.0) as store,
        pytest.raises(StoreDamaged, match="qa-daemon rebuild"),
    ):
        execute(store, raising)


def test_the_driver_of_postgresql_is_asked_for_by_name() -> None:
    script = """
import sys
sys.modules["psycopg"] = None
from qa_daemon.errors import ConfigurationError
from qa_daemon.store.database import Store
try:
    Store("postgresql://h/d", 1.0)
except ConfigurationError as error:
    print(error)
"""
    command = [sys.executable, "-c", script]
    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  own text
    assert "qa-daemon[postgresql]" in told.stdout


# --- death ---------------------------------------------------------------------------------------

RECORDING = """
import sys
from datetime import UTC, datetime
from itertools import count
from qa_daemon.records.finding import Rejection
from qa_daemon.records.receipt import Envelope, Receipt, SpoolRecord
from qa_daemon.store.database import Store
from qa_daemon.store.recording import record

now = datetime.now(UTC)
with Store(sys.argv[1], 5.0) as store:
    for number in count():
        receipts = [
            Receipt(
                record=SpoolRecord(f"{number:028x}{part:04x}", 1, f"{number}-{part}"),
                envelope=Envelope(received_at=now),
                rejection=Rejection("p", "truncated", "ends early"),
            )
            for part in range(10)
        ]
        record(store, receipts, now)
        print(number, flush=True)
"""


def test_whatever_was_committed_survives_a_kill(url: str, store: Store) -> None:
    command = [sys.executable, "-c", RECORDING, url]
    for lines_seen in (1, 7):
        with store.writing() as connection:
            connection.execute(text("DELETE FROM instances"))
        with subprocess.Popen(  # noqa: S603  own text
            command, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            said = [int(process.stdout.readline()) for _ in range(lines_seen)]
            os.kill(process.pid, signal.SIGKILL)
            said += [int(line) for line in process.stdout]
        with store.reading() as connection:
            keys = connection.scalars(text("SELECT spool_key FROM instances")).all()
        # Each batch is there as a whole, and at most one that was not reported.
        numbers = sorted(int(key[:28], 16) for key in keys)
        batches = sorted(set(numbers))
        assert numbers == [number for number in batches for _ in range(10)]
        assert batches in ([*said], [*said, said[-1] + 1])
