"""Archives: what is handed out, and what is refused whole."""

import bz2
import contextlib
import gzip
import hashlib
import io
import itertools
import lzma
import stat
import tarfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_daemon.dicom.scan import Refused
from qa_daemon.intake.archive import is_archive, kind_of, members, unpack
from qa_daemon.intake.meter import Bounds

MIB = 1 << 20
BOUNDS = Bounds(
    depth_max=2, members_max=100, bytes_max=64 * MIB, member_bytes_max=32 * MIB, ratio_max=200.0
)
OBJECT = bytes(128) + b"DICM" + b"\x02\x00content" * 100


def zipped(*entries: tuple[str, bytes], mode: int = 0, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return file.getvalue()


def tarred(*entries: tuple[str, bytes], kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, link, len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def found(content: bytes, bounds: Bounds = BOUNDS, name: str = "a.zip") -> list[tuple[str, bytes]]:
    return [(each.path, each.content()) for each in members(io.BytesIO(content), name, bounds)]


TWO = (("dir/x.dcm", OBJECT), ("y", b"small"))


@pytest.mark.parametrize(
    "content",
    [
        zipped(*TWO),
        zipped(*TWO, method=zipfile.ZIP_STORED),
        zipped(*TWO, method=zipfile.ZIP_BZIP2),
        zipped(*TWO, method=zipfile.ZIP_LZMA),
        zipped(("dir/", b""), *TWO),
        tarred(*TWO),
        gzip.compress(tarred(*TWO)),
        bz2.compress(tarred(*TWO)),
        lzma.compress(tarred(*TWO)),
    ],
    ids=itertools.repeat(""),
)
def test_every_kind_gives_its_members_whole(content: bytes) -> None:
    assert found(content) == [("a.zip!/dir/x.dcm", OBJECT), ("a.zip!/y", b"small")]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_single_compressed_file_loses_its_ending(pack: Any) -> None:
    assert found(pack(OBJECT), name="in/x.dcm.GZ")[0][0] == "in/x.dcm.GZ!/x.dcm"
    assert found(pack(OBJECT))[0][1] == OBJECT


def test_archives_within_archives_are_opened_up_to_the_depth() -> None:
    inner = zipped(("x", OBJECT))
    assert found(tarred(("in.zip", inner))) == [("a.zip!/in.zip!/x", OBJECT)]
    assert found(zipped(("in.tgz", gzip.compress(tarred(("x", OBJECT)))))) == [
        ("a.zip!/in.tgz!/x", OBJECT)
    ]
    with pytest.raises(Refused) as refusal:
        found(zipped(("outer.zip", zipped(("inner.zip", inner)))))
    assert refusal.value.reason == "limit"


def test_many_small_archives_within_one_are_no_deeper_than_one() -> None:
    inner = zipped(("x", OBJECT))
    assert len(found(zipped(*((f"{number}.zip", inner) for number in range(5))))) == 5


def test_members_that_are_read_in_part_or_not_at_all_do_not_disturb_the_next() -> None:
    content = tarred(*((str(number), bytes((number,)) * 10_000) for number in range(9)))
    heads = [each.stream.read(3) for each in members(io.BytesIO(content), "t", BOUNDS)]
    assert heads == [bytes((number,)) * 3 for number in range(9)]
    assert len(list(members(io.BytesIO(content), "t", BOUNDS))) == 9


def test_an_object_with_an_archive_behind_it_is_no_archive() -> None:
    assert kind_of((OBJECT + zipped(("x", b"y")))[:512]) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped(("../x", OBJECT)), "unsupported"),
        (zipped(("/etc/x", OBJECT)), "unsupported"),
        (zipped(("..\\..\\x", OBJECT)), "unsupported"),
        (zipped(("C:/x", OBJECT)), "unsupported"),
        (zipped(("x", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777), "not_regular"),
        (zipped(("x", b""), mode=stat.S_IFCHR), "not_regular"),
        (tarred(("../x", OBJECT)), "unsupported"),
        (tarred(("/x", OBJECT)), "unsupported"),
        (tarred(("x", b""), kind=tarfile.SYMTYPE, link="/etc"), "not_regular"),
        (tarred(("x", b""), kind=tarfile.LNKTYPE, link="/etc/passwd"), "not_regular"),
        (tarred(("x", b""), kind=tarfile.FIFOTYPE), "not_regular"),
        (zipped(("x", bytes(40 * MIB))), "limit"),
        (zipped(("x", bytes(20 * MIB))), "limit"),
        (gzip.compress(bytes(20 * MIB)), "limit"),
        (gzip.compress(tarred(("x", bytes(20 * MIB)))), "limit"),
        (zipped(*((str(number), b"") for number in range(101))), "limit"),
        (tarred(*((str(number), b"") for number in range(101))), "limit"),
        (zipped(("x", OBJECT))[:-30], "unreadable"),
        (tarred(("x", OBJECT * 10))[:2000], "unreadable"),
        (gzip.compress(OBJECT * 10)[:-9], "unreadable"),
        (gzip.compress(OBJECT)[:-8] + b"no crc32", "unreadable"),
        (lzma.compress(OBJECT)[:-9], "unreadable"),
        (bz2.compress(OBJECT)[:-9], "unreadable"),
        (b"BZh9 and nothing of it", "unreadable"),
        (b"PK\3\4", "unreadable"),
    ],
    ids=itertools.repeat(""),
)
def test_an_unsafe_or_damaged_archive_is_refused_before_its_first_member(
    content: bytes, reason: str
) -> None:
    good_before = zipped(("a", OBJECT), ("b", content))
    for archive, bounds in ((content, BOUNDS), (good_before, evolve(BOUNDS, depth_max=3))):
        if kind_of(content[:512]) is None and archive is good_before:
            continue
        iterator = members(io.BytesIO(archive), "a.zip", bounds)
        with pytest.raises(Refused) as refusal:
            next(iterator)
        assert refusal.value.reason == reason


def test_all_members_together_have_a_bound() -> None:
    noise = hashlib.shake_128(b"noise").digest(MIB)
    content = zipped(("x", noise), ("y", noise), method=zipfile.ZIP_STORED)
    assert len(found(content, evolve(BOUNDS, bytes_max=2 * MIB))) == 2
    with pytest.raises(Refused):
        found(content, evolve(BOUNDS, bytes_max=2 * MIB - 1))


def test_a_zip_with_a_huge_directory_is_refused_before_it_is_read() -> None:
    content = zipped(*((f"{number:0200d}", b"") for number in range(2000)))
    with pytest.raises(Refused, match="directory"):
        found(content, evolve(BOUNDS, members_max=10))


def test_a_header_of_a_tar_that_would_fill_the_memory_is_refused() -> None:
    info = tarfile.TarInfo("x")
    info.pax_headers = {"comment": "c" * (30 * MIB)}
    packed = gzip.compress(info.tobuf(tarfile.PAX_FORMAT), 1)
    bounds = evolve(BOUNDS, ratio_max=1e9)
    tracemalloc.start()
    try:
        with pytest.raises(Refused) as refusal:
            found(packed, bounds)
        assert tracemalloc.get_traced_memory()[1] < 10 * MIB
    finally:
        tracemalloc.stop()
    assert refusal.value.reason == "limit"


def test_an_empty_archive_has_no_members() -> None:
    assert found(zipped()) == []
    assert found(tarred(("d", b""), kind=tarfile.DIRTYPE)) == []


def test_a_file_that_is_no_archive_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        found(OBJECT)
    assert refusal.value.reason == "not_dicom"


def test_members_are_unpacked_under_names_of_ours(tmp_path: Path) -> None:
    path, folder = tmp_path / "a.zip", tmp_path / "out"
    folder.mkdir()
    path.write_bytes(zipped(("x/-rf", OBJECT), ("b.zip", zipped(("y", b"small")))))
    assert is_archive(path)
    unpacked = {each.name: each.file for each in unpack(path, folder, BOUNDS)}
    assert set(unpacked) == {"x/-rf", "b.zip!/y"}
    assert unpacked["x/-rf"].read_bytes() == OBJECT
    assert sorted(file.name for file in folder.iterdir()) == ["00000000", "00000001"]
    unpacked["x/-rf"].unlink()
    assert not is_archive(unpacked["b.zip!/y"])


SAMPLES = (zipped(*TWO), tarred(*TWO), gzip.compress(tarred(*TWO)), lzma.compress(OBJECT))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_an_altered_archive_is_read_or_refused_and_nothing_else(
    sample: bytes, data: st.DataObject
) -> None:
    altered = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 5))):
        altered[data.draw(st.integers(0, len(altered) - 1))] = data.draw(st.integers(0, 255))
    del altered[data.draw(st.integers(1, len(altered))) :]
    parts: list[tuple[str, bytes]] = []
    with contextlib.suppress(Refused):
        parts = found(bytes(altered))
    assert sum(len(content) for _, content in parts) <= BOUNDS.bytes_max
