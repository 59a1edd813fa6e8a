"""What goes in comes out, whatever happens around it."""

import errno
import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa_daemon.errors import ConfigurationError
from qa_daemon.limits import Limits
from qa_daemon.records.receipt import Envelope, SpoolRecord
from qa_daemon.spool.layout import RecordUnreadable
from qa_daemon.spool.spool import Spool
from qa_daemon.spool.write import SpoolUnavailable


def put(spool: Spool, envelope: Envelope, *chunks: bytes) -> SpoolRecord:
    with spool.begin(envelope) as writer:
        for chunk in chunks:
            writer.write(chunk)
        return writer.commit()


def file_of(folder: Path, key: str) -> Path:
    return next(folder.rglob(key + ".qas"))


@given(chunks=st.lists(st.binary(max_size=50), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_an_object_comes_out_as_it_went_in_however_it_was_cut(
    spool: Spool, envelope: Envelope, chunks: list[bytes]
) -> None:
    record = put(spool, envelope, *chunks)
    content = b"".join(chunks)
    assert spool.content(record.key) == content
    assert record.length == len(content)
    assert record.data_set_sha256 == hashlib.sha256(content[4:]).hexdigest()
    assert spool.record(record.key) == record
    assert spool.envelope(record.key) == envelope
    spool.verify(record.key)


def test_nobody_else_may_look_into_the_spool(tmp_path: Path, envelope: Envelope) -> None:
    with Spool(tmp_path / "spool", Limits()) as spool:
        put(spool, envelope, b"DATA")
    folders = [tmp_path / "spool", *(each for each in tmp_path.rglob("*") if each.is_dir())]
    assert [each for each in folders if each.stat().st_mode & 0o007] == []


def test_a_mapped_object_outlives_its_removal(spool: Spool, envelope: Envelope) -> None:
    key = put(spool, envelope, b"DATA" * 5000).key
    view = spool.open(key)
    spool.remove(key)
    assert bytes(view) == b"DATA" * 5000
    assert view.readonly


def test_keys_come_in_the_order_of_arrival(spool: Spool, envelope: Envelope) -> None:
    keys = [put(spool, envelope, b"x").key for _ in range(20)]
    assert list(spool.keys()) == keys
    assert all(spool.has(key) for key in keys)


def test_a_foreign_file_in_the_spool_is_no_record(
    spool: Spool, envelope: Envelope, tmp_path: Path
) -> None:
    key = put(spool, envelope, b"x").key
    file_of(tmp_path, key).with_name("notes.txt").write_text("mine")
    file_of(tmp_path, key).with_name("notes.qas").write_text("mine")
    assert list(spool.keys()) == [key]


def test_what_was_aborted_or_left_is_nowhere(
    spool: Spool, envelope: Envelope, tmp_path: Path
) -> None:
    writer = spool.begin(envelope)
    writer.write(b"half")
    writer.abort()
    writer.abort()
    with spool.begin(envelope) as left:
        left.write(b"half")
    assert list(spool.keys()) == []
    assert list((tmp_path / "spool" / "partial").iterdir()) == []


def test_many_threads_write_at_once(spool: Spool, envelope: Envelope) -> None:
    def one(number: int) -> tuple[str, bytes]:
        content = number.to_bytes(4, "big") * 3000
        return put(spool, envelope, content[:5000], content[5000:]).key, content

    with ThreadPoolExecutor(8) as pool:
        written = dict(pool.map(one, range(60)))
    assert {key: spool.content(key) for key in spool.keys()} == written  # noqa: SIM118  a method


def test_a_removed_record_is_gone_and_may_be_removed_again(
    spool: Spool, envelope: Envelope
) -> None:
    first, second, kept = (put(spool, envelope, b"x").key for _ in range(3))
    spool.remove(first, second)
    spool.remove(first)
    assert list(spool.keys()) == [kept]
    assert not spool.has(first)
    with pytest.raises(RecordUnreadable, match="there is none"):
        spool.content(first)


def test_used_bytes_follow_what_is_written_and_removed(
    spool: Spool, envelope: Envelope, tmp_path: Path
) -> None:
    assert spool.used_bytes() == 0
    keys = [put(spool, envelope, b"x" * size).key for size in (10, 1000, 100_000)]
    lying = sum(file_of(tmp_path, key).stat().st_size for key in keys)
    assert spool.used_bytes() == lying
    spool.remove(keys[2])
    assert 1010 < spool.used_bytes() < 3000
    file_of(tmp_path, keys[1]).unlink()
    assert spool.recount() == file_of(tmp_path, keys[0]).stat().st_size
    assert 0 < spool.free_bytes() <= os.statvfs(tmp_path).f_blocks * os.statvfs(tmp_path).f_frsize


def run_script(script: str, *arguments: str) -> str:
    """Run `script` in a process of its own and return what it printed."""
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603  own text


# --- damage --------------------------------------------------------------------------------------


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_torn_record_is_never_taken_for_whole(
    spool: Spool, envelope: Envelope, tmp_path: Path, data: st.DataObject
) -> None:
    key = put(spool, envelope, b"head" + b"pixels" * 50).key
    path = file_of(tmp_path, key)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    for use in (spool.verify, spool.content, spool.open, spool.record):
        with pytest.raises(RecordUnreadable):
            use(key)
    spool.remove(key)


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_changed_byte_is_reported(
    spool: Spool, envelope: Envelope, tmp_path: Path, data: st.DataObject
) -> None:
    key = put(spool, envelope, b"head" + b"pixels" * 50).key
    path = file_of(tmp_path, key)
    changed = bytearray(path.read_bytes())
    begin = changed.index(b"headpixels")
    # The four bytes of file meta differ per sender and lie outside the checksum.
    places = st.integers(0, len(changed) - 1).filter(lambda at: not begin <= at < begin + 4)
    changed[data.draw(places)] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    with pytest.raises(RecordUnreadable):
        spool.verify(key)
    spool.remove(key)


def test_bytes_added_in_the_middle_are_reported(
    spool: Spool, envelope: Envelope, tmp_path: Path
) -> None:
    key = put(spool, envelope, b"headpixels").key
    path = file_of(tmp_path, key)
    path.write_bytes(path.read_bytes().replace(b"pixels", b"pixels, more"))
    with pytest.raises(RecordUnreadable, match="length is wrong"):
        spool.content(key)


# --- one writer ----------------------------------------------------------------------------------


def test_a_second_receiver_is_refused_while_the_first_lives(
    spool: Spool, envelope: Envelope, tmp_path: Path
) -> None:
    writer = spool.begin(envelope)
    with Spool(tmp_path / "spool", Limits()) as second:
        with pytest.raises(ConfigurationError, match="another process receives"):
            second.recover()
        key = writer.commit().key
        assert second.content(key) == b""
        spool.close()
        assert second.recover() == 0


def test_what_an_interrupted_receiver_left_is_removed(
    spool: Spool, envelope: Envelope, tmp_path: Path
) -> None:
    (tmp_path / "spool" / "partial" / ("0" * 32 + ".qas")).write_bytes(b"half")
    assert spool.recover() == 1
    assert spool.recover() == 0
    assert list((tmp_path / "spool" / "partial").iterdir()) == []
    put(spool, envelope, b"x")


# --- every durable call dies, then fails ---------------------------------------------------------

DYING = """
import json, os, sys
from datetime import datetime, UTC
from pathlib import Path
from qa_daemon.limits import Limits
from qa_daemon.records.receipt import Envelope
from qa_daemon.spool.spool import Spool

calls, deadly, before = 0, -1, True

def wrap(real):
    def durable(*args):
        global calls
        calls += 1
        if calls == deadly and before:
            os._exit(9)
        answer = real(*args)
        if calls == deadly:
            os._exit(9)
        return answer
    return durable

os.fsync, Path.replace = wrap(os.fsync), wrap(Path.replace)

def run(folder):
    spool = Spool(folder / "spool", Limits())
    with (folder / "acknowledged").open("w", buffering=1) as acknowledged:
        for number in range(3):
            with spool.begin(Envelope(received_at=datetime.now(UTC), data_set_offset=0)) as writer:
                content = f"object {number} ".encode() * 1000
                writer.write(content[:400])
                writer.write(content[400:])
                key = writer.commit().key
            acknowledged.write(f"{key} {number}\\n")

root = Path(sys.argv[1])
(root / "counted").mkdir()
run(root / "counted")
total, calls = calls, 0
for deadly in range(1, total + 1):
    for before in (True, False):
        folder = root / f"{deadly}-{before}"
        folder.mkdir()
        child = os.fork()
        if child == 0:
            calls = 0
            run(folder)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
print(total)
"""


def test_whatever_was_acknowledged_survives_a_death_at_every_durable_call(tmp_path: Path) -> None:
    died = run_script(DYING, str(tmp_path))
    # Four folders are made durable at the start, the first bucket once, then three per object.
    assert int(died) == 4 + 1 + 3 * 3
    kept = []
    for folder in tmp_path.iterdir():
        lines = (folder / "acknowledged").read_text().splitlines()
        with Spool(folder / "spool", Limits()) as spool:
            assert spool.recover() <= 1
            for line in lines:
                key, number = line.split()
                spool.verify(key)
                assert spool.content(key) == f"object {number} ".encode() * 1000
            present = list(spool.keys())
            for key in present:
                spool.verify(key)
        # At most the object that was on its way is there without having been acknowledged.
        assert 0 <= len(present) - len(lines) <= 1
        kept.append(len(lines))
    assert set(kept) == {0, 1, 2, 3}


def test_bytes_are_flushed_before_they_get_their_name_and_the_name_after(
    spool: Spool, envelope: Envelope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies keeps what the kernel has; only this order outlives a loss of power."""
    put(spool, envelope, b"x")
    order = []
    fsync, replace = os.fsync, Path.replace

    def flushed(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        order.append("folder" if is_folder else f"{os.fstat(descriptor).st_size} bytes")
        fsync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        order.append(f"name for {path.stat().st_size} bytes")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "replace", renamed)
    size = spool.used_bytes()
    put(spool, envelope, b"x")
    assert order == [f"{size} bytes", f"name for {size} bytes", "folder"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("failing", range(1, 5))
def test_a_durable_call_that_fails_leaves_nothing_and_the_next_object_is_taken(
    *,
    code: int,
    failing: int,
    spool: Spool,
    envelope: Envelope,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spool.recover()
    calls = 0

    def wrap(real: Callable[..., object]) -> Callable[..., object]:
        def durable(*args: object) -> object:
            nonlocal calls
            calls += 1
            if calls == failing:
                raise OSError(code, os.strerror(code))
            return real(*args)

        return durable

    monkeypatch.setattr(os, "fsync", wrap(os.fsync))
    monkeypatch.setattr(Path, "replace", wrap(Path.replace))
    with pytest.raises(SpoolUnavailable, match=os.strerror(code)):
        put(spool, envelope, b"first")
    assert list(spool.keys()) == []
    assert list((tmp_path / "spool" / "partial").iterdir()) == []
    key = put(spool, envelope, b"second").key
    assert spool.content(key) == b"second"


def test_a_disk_that_is_full_refuses_and_keeps_nothing(tmp_path: Path) -> None:
    """A file size limit of the process stands for the full disk: write fails in the middle."""
    script = f"""
import resource, signal
from pathlib import Path
from datetime import UTC, datetime
from qa_daemon.limits import Limits
from qa_daemon.records.receipt import Envelope
from qa_daemon.spool.spool import Spool
from qa_daemon.spool.write import SpoolUnavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
spool = Spool(Path({str(tmp_path / "spool")!r}), Limits())
for size in (3 << 20, (1 << 20) - 100):
    try:
        with spool.begin(Envelope(received_at=datetime.now(UTC))) as writer:
            writer.write(bytes(size))
            writer.commit()
    except SpoolUnavailable as error:
        print(error)
"""
    assert run_script(script).count("File too large") == 2
    with Spool(tmp_path / "spool", Limits()) as spool:
        assert list(spool.keys()) == []
        assert spool.recover() == 0


@pytest.mark.parametrize("missing", ["partial", "records", "."])
def test_a_spool_whose_folder_was_taken_away_says_that_it_is_unavailable(
    missing: str, spool: Spool, envelope: Envelope, tmp_path: Path
) -> None:
    put(spool, envelope, b"x")
    gone = (tmp_path / "spool" / missing).resolve()
    gone.rename(tmp_path / "elsewhere")
    uses: dict[str, Callable[[], object]] = {
        "partial": lambda: spool.begin(envelope),
        "records": lambda: list(spool.keys()),
        ".": spool.free_bytes,
    }
    with pytest.raises(SpoolUnavailable, match="No such file"):
        uses[missing]()


def test_a_folder_that_cannot_be_made_is_the_sites_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError, match=r"spool\.path"):
        Spool(tmp_path / "file" / "spool", Limits())


def test_a_lock_that_cannot_be_made_is_unavailable(spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "spool" / "writer.lock").mkdir()
    with pytest.raises(SpoolUnavailable, match="recovered"):
        spool.recover()


def test_a_record_that_cannot_be_read_or_removed_is_unavailable(
    spool: Spool, envelope: Envelope, tmp_path: Path
) -> None:
    key = put(spool, envelope, b"x").key
    path = file_of(tmp_path, key)
    path.unlink()
    path.mkdir()
    with pytest.raises(SpoolUnavailable, match="cannot be read"):
        spool.content(key)
    with pytest.raises(SpoolUnavailable, match="cannot be removed"):
        spool.remove(key)


def test_the_spool_is_closed_to_other_users(tmp_path: Path, spool: Spool) -> None:
    for folder in ("records", "partial", "quarantine"):
        assert not stat.S_IMODE((tmp_path / "spool" / folder).stat().st_mode) & 0o007
    spool.close()
