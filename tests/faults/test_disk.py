"""Disk and database fail while the service runs: nothing acknowledged is lost, and it goes on."""

import contextlib
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import pytest
from attrs import frozen

from tests.faults.conftest import (
    ROOT,
    Daemon,
    StoreScu,
    check_judged_once,
    check_kept,
    descendants,
    drawn,
    eventually,
    send,
)

OUT_OF_RESOURCES: Final = "Refused: OutOfResources"
DISK_BYTES: Final = 24 << 20


class Disk(Protocol):
    """The disk of the state folder, which can be full."""

    def fill(self, daemon: Daemon) -> None: ...

    def free(self, daemon: Daemon) -> None: ...


@frozen
class SmallDisk:
    """A file system of its own, for whoever may mount one."""

    place: Path

    def fill(self, daemon: Daemon) -> None:
        del daemon
        with contextlib.suppress(OSError), (self.place / "ballast").open("wb", 0) as ballast:
            while True:
                ballast.write(bytes(1 << 12))

    def free(self, daemon: Daemon) -> None:
        del daemon
        (self.place / "ballast").unlink()


@frozen
class ShortFiles:
    """A bound on every file that the service writes, which any user may set."""

    def fill(self, daemon: Daemon) -> None:
        self._bound(daemon, 1 << 12)

    def free(self, daemon: Daemon) -> None:
        self._bound(daemon, resource.RLIM_INFINITY)

    def _bound(self, daemon: Daemon, size: int) -> None:
        assert daemon.process is not None
        for pid in (daemon.process.pid, *descendants(daemon.process.pid)):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    place = tmp_path / "disk"
    place.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    told = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "qa-daemon-test", str(place)]
    is_mounted = (
        os.geteuid() == 0
        and mount is not None
        and unmount is not None
        and subprocess.run([mount, *told], check=False, capture_output=True).returncode == 0  # noqa: S603  our own arguments
    )
    if not is_mounted:
        yield ShortFiles()
        return
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run([str(unmount), "-l", str(place)], check=True)  # noqa: S603  the same


def command(daemon: Daemon, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run another command of the product on the same configuration."""
    return subprocess.run(  # noqa: S603  our own interpreter and module
        [sys.executable, "-m", "qa_daemon", *arguments, "--config", str(daemon.configuration)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def delivered(daemon: Daemon, scu: StoreScu) -> None:
    """Send again, as a PACS does, until everything is acknowledged."""

    def all_taken() -> bool:
        left = [uid for uid in scu.drawn.files if uid not in scu.acknowledged]
        scu.acknowledged |= send(daemon.port, scu.drawn, left).acknowledged if left else set()
        return not [uid for uid in scu.drawn.files if uid not in scu.acknowledged]

    eventually(all_taken, f"all taken: {scu.statuses}")


def finished(daemon: Daemon, scu: StoreScu, series: int = 1) -> None:
    """Hold that the service judged it and ended well, and that nothing is lost."""
    eventually(lambda: daemon.judged(series), "judged")
    assert daemon.terminate() == 0
    check_kept(daemon, scu.acknowledged, scu.drawn.bodies)
    check_judged_once(daemon)


@pytest.mark.parametrize("acknowledge", ["spool", "database"])
def test_a_full_disk_is_told_to_the_sender_and_freed_all_goes_on(
    tmp_path: Path, daemon: Callable[..., Daemon], disk: Disk, acknowledge: str
) -> None:
    state = tmp_path / "disk" / "state"
    made = daemon(receiver={"acknowledge": acknowledge}, state=str(state))
    series = drawn(tmp_path, "1.2.3.1", 20)
    made.start()
    early = send(made.port, series, [f"1.2.3.1.{number}" for number in range(1, 6)])
    assert len(early.acknowledged) == 5
    disk.fill(made)
    late = send(made.port, series)
    assert set(late.statuses) == {OUT_OF_RESOURCES}
    disk.free(made)
    late.acknowledged |= early.acknowledged
    delivered(made, late)
    finished(made, late)


def test_a_quota_is_told_to_the_sender_and_a_deleted_series_makes_room(
    tmp_path: Path, daemon: Callable[..., Daemon]
) -> None:
    made = daemon(spool={"quota_bytes": 100_000})
    first, second = drawn(tmp_path, "1.2.3.1", 20), drawn(tmp_path, "1.2.3.2", 5)
    made.start()
    # What the spool holds is looked at twice a second.
    eventually(lambda: OUT_OF_RESOURCES in send(made.port, first).statuses, "told to the sender")
    refused = send(made.port, second)
    assert set(refused.statuses) == {OUT_OF_RESOURCES}
    eventually(lambda: made.judged(1), "judged")
    assert command(made, "series", "delete", "--yes", made.series()[0].series_key).returncode == 0
    delivered(made, refused)
    finished(made, refused)


def test_a_spool_that_cannot_be_written_is_told_to_the_sender(
    tmp_path: Path, daemon: Callable[..., Daemon]
) -> None:
    made = daemon()
    series = drawn(tmp_path, "1.2.3.1", 10)
    made.start()
    partial = made.state / "spool" / "partial"
    partial.rename(partial.with_name("away"))
    partial.write_text("a file in its place: not even root can write below it")
    scu = send(made.port, series)
    assert set(scu.statuses) == {OUT_OF_RESOURCES}
    assert made.says("spool.unwritable")
    partial.unlink()
    partial.with_name("away").rename(partial)
    delivered(made, scu)
    finished(made, scu)


@pytest.mark.parametrize("acknowledge", ["spool", "database"])
def test_a_locked_database_delays_and_loses_nothing(
    tmp_path: Path, daemon: Callable[..., Daemon], acknowledge: str
) -> None:
    made = daemon(
        receiver={"acknowledge": acknowledge, "index_lag_s": 2}, store={"lock_timeout_s": 1}
    )
    series = drawn(tmp_path, "1.2.3.1", 10)
    scu = StoreScu(made.port, series, set())
    made.start()

    def is_refused() -> bool:
        sent = send(made.port, series)
        scu.acknowledged |= sent.acknowledged
        return OUT_OF_RESOURCES in sent.statuses

    with contextlib.closing(sqlite3.connect(made.state / "qa-daemon.sqlite")) as other:
        other.isolation_level = None
        other.execute("BEGIN EXCLUSIVE")
        eventually(is_refused, "told to the sender")
        assert made.says("index.late")
        assert acknowledge == "spool" or not scu.acknowledged
        other.execute("ROLLBACK")
    delivered(made, scu)
    finished(made, scu)


def test_a_damaged_database_ends_the_service_and_the_spool_makes_it_anew(
    tmp_path: Path, daemon: Callable[..., Daemon]
) -> None:
    made = daemon()
    series = drawn(tmp_path, "1.2.3.1", 20)
    made.start()
    scu = send(made.port, series)
    assert len(scu.acknowledged) == 20
    eventually(lambda: made.judged(1), "judged")
    for name in ("qa-daemon.sqlite", "qa-daemon.sqlite-wal"):
        with (made.state / name).open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            file.write(b"\xa5" * size)
    assert made.ended() == 2
    assert made.says("qa-daemon: store:", "qa-daemon rebuild")
    made.spawn()
    assert made.ended() == 2
    rebuilt = command(made, "rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "20 objects of the spool" in rebuilt.stdout
    made.start()
    finished(made, scu)


def test_a_report_folder_that_cannot_be_written_keeps_verdicts_until_it_can(
    tmp_path: Path, daemon: Callable[..., Daemon]
) -> None:
    made = daemon()
    series = drawn(tmp_path, "1.2.3.1", 5)
    made.start()
    reports = made.state / "reports"
    assert not reports.exists()
    reports.write_text("a file in its place")
    scu = send(made.port, series)
    eventually(lambda: made.says("report.unwritable"), "told in the log")
    assert made.judged(1)
    reports.unlink()
    written = [reports / "1.2.3" / f"1.2.3.1{ending}" for ending in (".json", ".txt")]
    eventually(lambda: all(path.is_file() for path in written), "reports written")
    finished(made, scu)
