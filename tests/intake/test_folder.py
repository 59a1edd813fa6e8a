"""The watched folder, with real files that are written, renamed and removed meanwhile."""

import gzip
import io
import os
import socket
import sqlite3
import stat
import struct
import tarfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from qa_daemon.config.settings import AfterIntake, FolderSettings, ReceiverSettings, SpoolSettings
from qa_daemon.intake.folder import Folder
from qa_daemon.limits import Limits
from tests.intake.conftest import (
    EXPLICIT_LITTLE,
    Service,
    data_set,
    element,
    eventually,
    part10,
    slice_file,
)

Serve = Callable[..., Service]
QUICK = FolderSettings(quiet_s=0.05, rescan_s=0.5)


def names(folder: Path) -> set[str]:
    """Return what lies below a folder, relative."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return {str(path.relative_to(folder)) for path in found}


def zipped(*entries: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def gone(path: Path) -> Callable[[], bool]:
    return lambda: not os.path.lexists(path)


def test_a_file_is_taken_and_moved_to_done(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    content = slice_file("1.2.3.1")
    (folder / "a.dcm").write_bytes(content)
    eventually(lambda: names(folder) == {"done/a.dcm"}, "not moved")
    (row,) = service.rows()
    assert row.sop_instance_uid == "1.2.3.1"
    assert service.spool.content(row.source) == content
    assert service.spool.envelope(row.source).file_name == "a.dcm"
    assert (folder / "done" / "a.dcm").read_bytes() == content


def test_what_lay_there_before_the_start_is_taken(serve: Serve) -> None:
    service = serve()
    service.incoming.mkdir()
    (service.incoming / "a.dcm").write_bytes(slice_file("1.2.3.1"))
    folder = service.watch()
    eventually(lambda: names(folder) == {"done/a.dcm"}, "not moved")


@pytest.mark.parametrize("polling", [False, True])
def test_sub_folders_are_kept_on_the_shelf(serve: Serve, *, polling: bool) -> None:
    service = serve(folder_settings=evolve(QUICK, polling=polling))
    folder = service.watch()
    deep = folder / "CD 1" / "x" / "y"
    deep.mkdir(parents=True)
    (deep / "IM1").write_bytes(slice_file("1.2.3.1"))
    (folder / "CD 1" / "IM1").write_bytes(slice_file("1.2.3.2"))
    wanted = {"done/CD 1/x/y/IM1", "done/CD 1/IM1"}
    eventually(lambda: names(folder) == wanted, "not moved")
    assert service.uids() == ["1.2.3.1", "1.2.3.2"]


def test_a_file_is_deleted_after_its_commit_where_the_site_says_so(serve: Serve) -> None:
    service = serve(folder_settings=evolve(QUICK, after=AfterIntake.DELETE))
    folder = service.watch()
    (folder / "a.dcm").write_bytes(slice_file("1.2.3.1"))
    eventually(gone(folder / "a.dcm"), "not deleted")
    assert service.uids() == ["1.2.3.1"]
    assert names(folder) == set()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated"),
        (b"no DICOM at all", "not_dicom"),
        (slice_file("1.2.3.1")[:150], "truncated"),
        (bytes(70_000), "not_dicom"),
    ],
)
def test_a_file_that_cannot_be_read_is_rejected_with_the_reason_beside(
    serve: Serve, content: bytes, reason: str
) -> None:
    service = serve()
    folder = service.watch()
    (folder / "bad.dcm").write_bytes(content)
    wanted = {"rejected/bad.dcm", "rejected/bad.dcm.reason.txt"}
    eventually(lambda: names(folder) == wanted, "not rejected")
    told = (folder / "rejected" / "bad.dcm.reason.txt").read_text()
    assert "file: bad.dcm" in told
    assert f"reason: {reason}" in told
    assert "what to do: " in told
    eventually(lambda: len(service.refusals()) == 1, "the refusal is not noted")
    assert service.refusals()[0].rejection.reason == reason
    assert not service.contents()
    assert (folder / "rejected" / "bad.dcm").read_bytes() == content


def test_names_that_collide_are_told_apart(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    for number in range(3):
        (folder / "a.dcm").write_bytes(slice_file(f"1.2.3.{number}"))
        eventually(gone(folder / "a.dcm"), "not moved")
        (folder / "b.dcm").write_bytes(b"no DICOM")
        eventually(gone(folder / "b.dcm"), "not moved")
    eventually(lambda: len(names(folder)) == 9, "some are missing")
    assert {f"done/a.dcm{suffix}" for suffix in ("", ".1", ".2")} < names(folder)
    assert "rejected/b.dcm.2.reason.txt" in names(folder)


def test_a_file_without_preamble_or_meta_is_taken(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    (folder / "bare").write_bytes(data_set("1.2.3.1"))
    (folder / "meta").write_bytes(slice_file("1.2.3.2")[132:])
    eventually(lambda: names(folder) == {"done/bare", "done/meta"}, "not moved")
    assert service.uids() == ["1.2.3.1", "1.2.3.2"]


def test_a_file_in_progress_is_left_alone_until_it_is_renamed(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    unfinished = ["a.dcm.part", "b.tmp", "c.filepart", "d.dcm~"]
    for name in unfinished:
        (folder / name).write_bytes(slice_file("1.2.3.1")[:300])
    (folder / "z.dcm").write_bytes(slice_file("1.2.3.9"))
    eventually(gone(folder / "z.dcm"), "not moved")
    assert names(folder) == {*unfinished, "done/z.dcm"}
    (folder / "a.dcm.part").write_bytes(slice_file("1.2.3.1"))
    (folder / "a.dcm.part").rename(folder / "a.dcm")
    eventually(gone(folder / "a.dcm"), "not moved")
    assert service.uids() == ["1.2.3.1", "1.2.3.9"]


def test_a_file_that_grows_is_waited_for(serve: Serve) -> None:
    service = serve(folder_settings=evolve(QUICK, quiet_s=0.4))
    folder = service.watch()
    content = slice_file("1.2.3.1")
    with (folder / "slow.dcm").open("wb", buffering=0) as file:
        for at in range(0, len(content), 100):
            file.write(content[at : at + 100])
            assert not threading.Event().wait(0.05)
            assert not service.contents()
    eventually(lambda: names(folder) == {"done/slow.dcm"}, "not moved")
    (row,) = service.rows()
    assert service.spool.content(row.source) == content


def test_a_file_that_vanishes_is_no_error(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    for number in range(50):
        path = folder / f"{number}.dcm"
        path.write_bytes(slice_file(f"1.2.3.{number}"))
        path.unlink()
    (folder / "z.dcm").write_bytes(slice_file("1.2.3.99"))
    eventually(lambda: names(folder) == {"done/z.dcm"}, "not moved")


def test_files_are_whole_whatever_is_written_and_renamed_meanwhile(serve: Serve) -> None:
    service = serve(folder_settings=evolve(QUICK, quiet_s=0.02))
    folder = service.watch()
    versions = [part10(data_set("1.2.3.1", rows=rows), "1.2.3.1") for rows in range(8, 400, 2)]
    for number, version in enumerate(versions):
        (folder / "a.dcm").write_bytes(version)
        if number % 3 == 0:
            (folder / "a.dcm").rename(folder / f"b{number}.dcm")
        threading.Event().wait(0.004 * (number % 5))
    eventually(lambda: not any(folder.glob("*.dcm")), "not all moved")
    shelved = {path.read_bytes() for path in (folder / "done").iterdir()}
    kept = set(service.contents().values())
    assert shelved <= kept <= set(versions)
    assert versions[-1] in shelved
    assert not (folder / "rejected").exists()


@pytest.mark.parametrize("first", [slice_file("1.2.3.1"), b"not yet DICOM"])
def test_a_file_that_is_written_on_after_it_was_put_away_is_taken_anew(
    serve: Serve, first: bytes
) -> None:
    service = serve()
    folder = service.watch()
    second = part10(data_set("1.2.3.1", rows=16), "1.2.3.1")
    with (folder / "a.dcm").open("wb", buffering=0) as file:
        file.write(first)
        eventually(gone(folder / "a.dcm"), "not moved")
        file.seek(0)
        file.write(second)
    eventually(lambda: second in service.contents().values(), "not taken anew")
    eventually(lambda: names(folder) == {"done/a.dcm"}, "not moved again")
    assert (folder / "done" / "a.dcm").read_bytes() == second


def test_the_same_file_again_is_recognised(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    for number in range(2):
        (folder / f"{number}.dcm").write_bytes(slice_file("1.2.3.1"))
        eventually(gone(folder / f"{number}.dcm"), "not moved")
    eventually(lambda: len(service.contents()) == 1, "kept twice")
    assert service.uids() == ["1.2.3.1"]


def test_an_archive_gives_all_its_objects(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    inner = zipped(("deep/3", slice_file("1.2.3.3")))
    (folder / "a.zip").write_bytes(
        zipped(("x/1.dcm", slice_file("1.2.3.1")), ("2.dcm", slice_file("1.2.3.2")), ("i", inner))
    )
    eventually(lambda: names(folder) == {"done/a.zip"}, "not moved")
    assert service.uids() == ["1.2.3.1", "1.2.3.2", "1.2.3.3"]
    shown = {service.spool.envelope(row.source).file_name for row in service.rows()}
    assert shown == {"a.zip!/x/1.dcm", "a.zip!/2.dcm", "a.zip!/i!/deep/3"}


def test_a_compressed_tar_and_a_compressed_file_are_taken(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as archive:
        info = tarfile.TarInfo("1.dcm")
        info.size = len(slice_file("1.2.3.1"))
        archive.addfile(info, io.BytesIO(slice_file("1.2.3.1")))
    (folder / "a.txz").write_bytes(packed.getvalue())
    (folder / "b.dcm.gz").write_bytes(gzip.compress(slice_file("1.2.3.2")))
    eventually(lambda: names(folder) == {"done/a.txz", "done/b.dcm.gz"}, "not moved")
    assert service.uids() == ["1.2.3.1", "1.2.3.2"]


def test_members_that_cannot_be_read_are_told_of_beside_the_taken_archive(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    (folder / "a.zip").write_bytes(
        zipped(("1.dcm", slice_file("1.2.3.1")), ("README", b"read me"), ("empty", b""))
    )
    wanted = {"done/a.zip", "rejected/a.zip.reason.txt"}
    eventually(lambda: names(folder) == wanted, "not moved")
    told = (folder / "rejected" / "a.zip.reason.txt").read_text()
    assert "where: a.zip!/README" in told
    assert "where: a.zip!/empty" in told
    assert service.uids() == ["1.2.3.1"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped(("1.dcm", slice_file("1.2.3.1")), ("../x", b"")), "unsupported"),
        (zipped(("1.dcm", slice_file("1.2.3.1")))[:-30], "unreadable"),
        (zipped(("1.dcm", slice_file("1.2.3.1")), ("2", bytes(40 << 20))), "limit"),
        (zipped(), "not_dicom"),
        (zipped(("README", b"read me")), "not_dicom"),
    ],
)
def test_an_unsafe_archive_is_refused_whole(serve: Serve, content: bytes, reason: str) -> None:
    service = serve()
    folder = service.watch()
    (folder / "a.zip").write_bytes(content)
    wanted = {"rejected/a.zip", "rejected/a.zip.reason.txt"}
    eventually(lambda: names(folder) == wanted, "not rejected")
    assert f"reason: {reason}" in (folder / "rejected" / "a.zip.reason.txt").read_text()
    assert not service.contents()


def test_what_is_no_regular_file_is_rejected_unopened(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    os.mkfifo(folder / "fifo.dcm")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "out.dcm").symlink_to("/etc/passwd")
    (folder / "self").symlink_to(folder)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "sock"))
    (folder / "z.dcm").write_bytes(slice_file("1.2.3.1"))
    odd = {"fifo.dcm", "loop", "out.dcm", "self", "sock"}
    wanted = {f"rejected/{name}{end}" for name in odd for end in ("", ".reason.txt")}
    eventually(lambda: names(folder) - {"done/z.dcm"} == wanted, "not rejected")
    assert stat.S_ISFIFO((folder / "rejected" / "fifo.dcm").lstat().st_mode)
    assert (folder / "rejected" / "out.dcm").is_symlink()
    assert service.uids() == ["1.2.3.1"]


def test_a_file_too_large_is_rejected_without_being_read(serve: Serve) -> None:
    service = serve(limits=Limits(object_bytes_max=1 << 20))
    folder = service.watch()
    with (folder / "sparse.dcm").open("wb") as file:
        file.truncate(1 << 33)
    eventually(lambda: "rejected/sparse.dcm" in names(folder), "not rejected")
    assert "reason: limit" in (folder / "rejected" / "sparse.dcm.reason.txt").read_text()


HOSTILE = (b"-rf", b"a\nb.dcm", b"\x1b[31mred", b"n" * 255, b"\xff\xfe.dcm", b"  .dcm", b".hid")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_any_bytes_are_taken_and_rejected_alike(serve: Serve, name: bytes) -> None:
    service = serve()
    folder = service.watch()
    path = folder / os.fsdecode(name)
    path.write_bytes(slice_file("1.2.3.1"))
    eventually((folder / "done" / path.name).exists, "not taken")
    assert service.uids() == ["1.2.3.1"]
    path.write_bytes(b"no DICOM")
    eventually((folder / "rejected" / path.name).exists, "not rejected")
    eventually(lambda: any((folder / "rejected").glob("*.reason.txt")), "no reason")
    (reason,) = (folder / "rejected").glob("*.reason.txt")
    told = reason.read_bytes()
    assert told.isascii()
    assert b"\x1b" not in told


def test_the_folder_may_be_removed_and_comes_back(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    (folder / "a.dcm").write_bytes(slice_file("1.2.3.1"))
    eventually(lambda: names(folder) == {"done/a.dcm"}, "not moved")
    (folder / "done" / "a.dcm").unlink()
    (folder / "done").rmdir()
    folder.rmdir()
    eventually(folder.is_dir, "not made again")
    (folder / "b.dcm").write_bytes(slice_file("1.2.3.2"))
    eventually(lambda: names(folder) == {"done/b.dcm"}, "not moved")


def test_files_wait_while_there_is_no_room(serve: Serve) -> None:
    service = serve(spool_settings=SpoolSettings(free_bytes_min=1 << 60))
    folder = service.watch()
    (folder / "a.dcm").write_bytes(slice_file("1.2.3.1"))
    assert not threading.Event().wait(0.5)
    assert names(folder) == {"a.dcm"}
    service.door.room.settings = SpoolSettings(free_bytes_min=1)
    eventually(lambda: names(folder) == {"done/a.dcm"}, "not moved")


def test_a_file_that_cannot_be_moved_away_is_taken_once(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    (folder / "done").write_bytes(b"a file where the shelf should be")
    (folder / "a.dcm").write_bytes(slice_file("1.2.3.1"))
    eventually(lambda: service.uids() == ["1.2.3.1"], "not taken")
    (folder / "b.dcm").write_bytes(b"no DICOM")
    eventually(gone(folder / "b.dcm"), "the folder stands still")
    assert len(service.contents()) == 1
    assert (folder / "a.dcm").exists()


def test_a_crash_between_commit_and_move_takes_the_file_once(serve: Serve) -> None:
    service = serve()
    service.incoming.mkdir()
    content = slice_file("1.2.3.1")
    (service.incoming / "done").write_bytes(b"so that nothing can be moved")
    (service.incoming / "a.dcm").write_bytes(content)
    folder = service.watch()
    eventually(lambda: service.uids() == ["1.2.3.1"], "not taken")
    service.close()
    (folder / "done").unlink()
    again = serve()
    again.watch()
    eventually(lambda: names(folder) == {"done/a.dcm"}, "not moved")
    eventually(lambda: len(again.contents()) == 1, "kept twice")
    assert again.uids() == ["1.2.3.1"]


def media_directory(*names: str) -> bytes:
    """Return a DICOMDIR that names these files, one image record each."""
    records = b""
    for name in names:
        record = element(0x0004, 0x1430, "CS", b"IMAGE") + element(
            0x0004, 0x1500, "CS", name.encode()
        )
        records += struct.pack("<HHI", 0xFFFE, 0xE000, len(record)) + record
    body = element(0x0004, 0x1220, "SQ", records)
    meta = element(0x0002, 0x0002, "UI", b"1.2.840.10008.1.3.10")
    meta += element(0x0002, 0x0010, "UI", EXPLICIT_LITTLE.encode())
    return bytes(128) + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta + body


def test_the_directory_of_a_medium_is_put_away_with_notes_on_what_it_misses(serve: Serve) -> None:
    service = serve()
    medium = service.incoming / "CD"
    (medium / "IMAGES").mkdir(parents=True)
    (medium / "IMAGES" / "im1").write_bytes(slice_file("1.2.3.1"))
    (medium / "DICOMDIR").write_bytes(media_directory("IMAGES\\IM1", "IMAGES\\IM2", "..\\X"))
    folder = service.watch()
    wanted = {"done/CD/DICOMDIR", "done/CD/DICOMDIR.notes.txt", "done/CD/IMAGES/im1"}
    eventually(lambda: names(folder) == wanted, "not moved")
    notes = (folder / "done" / "CD" / "DICOMDIR.notes.txt").read_text()
    assert "dicomdir-file-missing: IMAGES/IM2\n" in notes
    assert "dicomdir-path-escape" in notes
    assert "IM1" not in notes
    assert service.uids() == ["1.2.3.1"]


def test_a_directory_that_cannot_be_read_is_rejected(serve: Serve) -> None:
    folder = serve().watch()
    (folder / "DICOMDIR").write_bytes(media_directory("A")[:-3])
    wanted = {"rejected/DICOMDIR", "rejected/DICOMDIR.reason.txt"}
    eventually(lambda: names(folder) == wanted, "not rejected")


def test_a_directory_in_an_archive_is_passed_over(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    entries = ("DICOMDIR", media_directory("A")), ("A", slice_file("1.2.3.1"))
    (folder / "cd.zip").write_bytes(zipped(*entries))
    eventually(lambda: names(folder) == {"done/cd.zip"}, "not moved")
    assert service.uids() == ["1.2.3.1"]


def test_an_object_in_an_archive_that_is_too_large_refuses_the_archive(serve: Serve) -> None:
    service = serve(limits=Limits(object_bytes_max=2000))
    folder = service.watch()
    entries = ("1", slice_file("1.2.3.1")), ("2", part10(data_set("1.2.3.2", rows=200), "1.2.3.2"))
    (folder / "a.zip").write_bytes(zipped(*entries))
    eventually(lambda: "rejected/a.zip" in names(folder), "not rejected")
    assert not service.contents()


def test_files_wait_while_the_spool_cannot_be_written(serve: Serve) -> None:
    service = serve()
    folder = service.watch()
    (service.state / "spool" / "partial").rmdir()
    (folder / "a.dcm").write_bytes(slice_file("1.2.3.2"))
    assert not threading.Event().wait(0.5)
    assert (folder / "a.dcm").exists()
    (service.state / "spool" / "partial").mkdir()
    eventually(gone(folder / "a.dcm"), "not moved")
    assert service.uids() == ["1.2.3.2"]


def test_files_wait_while_the_store_is_locked(serve: Serve) -> None:
    service = serve(receiver_settings=ReceiverSettings(port=0, index_lag_s=0.3))
    folder = service.watch()
    locked = sqlite3.connect(service.state / "store.sqlite", isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    (folder / "a.dcm").write_bytes(slice_file("1.2.3.1"))
    eventually(lambda: len(service.contents()) > 0, "not taken")
    assert not threading.Event().wait(1.0)
    assert names(folder) == {"a.dcm"}
    locked.execute("ROLLBACK")
    locked.close()
    eventually(lambda: names(folder) == {"done/a.dcm"}, "not moved")
    eventually(lambda: len(service.contents()) == 1, "kept twice")
    assert service.uids() == ["1.2.3.1"]


def test_a_folder_that_cannot_be_made_is_tried_again(serve: Serve) -> None:
    service = serve()
    service.incoming.write_bytes(b"a file in its place")
    watching = Folder(service.incoming, service.door, QUICK, service.limits)
    watching.start()
    assert not threading.Event().wait(0.3)
    service.incoming.unlink()
    eventually(service.incoming.is_dir, "not made")
    (service.incoming / "a.dcm").write_bytes(slice_file("1.2.3.1"))
    eventually(lambda: names(service.incoming) == {"done/a.dcm"}, "not moved")
    watching.stop(5.0)
