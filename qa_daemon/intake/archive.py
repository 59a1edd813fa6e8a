"""Objects inside zip, tar and compressed files, without a byte written where a name says.

An archive is walked twice: once to see that all of it keeps the bounds and its checksums hold,
then to hand its members out. So an unsafe one is refused whole, before anything is taken.
"""

import bz2
import gzip
import lzma
import re
import stat
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import IO, Final, cast

from attrs import frozen

from qa_daemon.dicom.scan import Refused
from qa_daemon.intake.meter import (
    CHUNK,
    HEAD_LENGTH,
    TAR_HEADERS_BYTES,
    Bounds,
    Metered,
    Rationed,
    Readable,
    Tally,
    drain,
    over,
    read_exactly,
    replayed,
    telling_damage,
    unsafe,
)

__all__ = ["Bounds", "Kind", "Member", "Unpacked", "is_archive", "kind_of", "members", "unpack"]

SEPARATOR: Final = "!/"
IN_MEMORY_BYTES: Final = 8 << 20  # an archive within an archive lies in a file beyond this
DIRECTORY_BYTES_PER_MEMBER: Final = 512  # zipfile reads the whole central directory at once
_DRIVE = re.compile(r"[A-Za-z]:")
_END_RECORD: Final = struct.Struct("<4s4H2LH")  # APPNOTE 4.3.16
_END_RECORD_64: Final = struct.Struct("<4sQ2H2L4Q")  # APPNOTE 4.3.14
LOCAL_HEADER_LENGTH: Final = 30  # APPNOTE 4.3.7
_COMMENT_BYTES_MAX: Final = 1 << 16


class Kind(StrEnum):
    """What kind of archive some bytes begin."""

    ZIP = "zip"
    TAR = "tar"
    GZIP = "gz"
    BZIP2 = "bz2"
    XZ = "xz"


@frozen
class Member:
    """A file in an archive.

    Attributes
    ----------
    path
        As in `a.zip!/dir/x`; for messages only, never a place to write to.
    stream
        Its bytes from the beginning; readable until the next member is asked for.
    """

    path: str
    stream: Readable

    def content(self) -> bytes:
        """Return all that is left of it; the bounds hold for its size."""
        return b"".join(iter(lambda: self.stream.read(CHUNK), b""))


def kind_of(head: bytes) -> Kind | None:
    """Return the kind of archive that begins with `head` (512 bytes), None if it is none."""
    if head[128:132] == b"DICM":
        return None  # a polyglot; what stands behind the data set is the scan's business
    for magic, kind in (
        (b"PK\3\4", Kind.ZIP),
        (b"PK\5\6", Kind.ZIP),
        (b"\x1f\x8b\x08", Kind.GZIP),
        (b"BZh", Kind.BZIP2),
        (b"\xfd7zXZ\0", Kind.XZ),
    ):
        if head.startswith(magic):
            return kind
    return Kind.TAR if head[257:262] == b"ustar" else None


def members(file: IO[bytes], name: str, bounds: Bounds) -> Iterator[Member]:
    """Yield the files of an archive, those of archives within it included.

    Parameters
    ----------
    file
        Seekable, at any position; must not change meanwhile.
    name
        What stands before the first `!/`.

    Raises
    ------
    Refused
        Before the first member, if anything in the archive is unsafe, over its bound or damaged.
    """
    for member in _walk(file, name, Tally(bounds)):
        drain(member.stream)
    file.seek(0)
    yield from _walk(file, name, Tally(bounds))


@frozen
class Unpacked:
    """A member as a file of its own.

    Attributes
    ----------
    name
        Its path within the archive, levels separated by `!/`.
    file
        Where its bytes lie, under a name of ours.
    """

    name: str
    file: Path


def is_archive(path: Path) -> bool:
    """Return whether a file begins like an archive; raises OSError as `open` does."""
    with path.open("rb") as file:
        return kind_of(file.read(HEAD_LENGTH)) is not None


def unpack(path: Path, folder: Path, bounds: Bounds) -> Iterator[Unpacked]:
    """Write each member into `folder` under a number, and yield it; raises as `members` does."""
    with path.open("rb") as file:
        for number, member in enumerate(members(file, "", bounds)):
            target = folder / f"{number:08d}"
            with target.open("xb") as copy:
                while chunk := member.stream.read(CHUNK):
                    copy.write(chunk)
            yield Unpacked(member.path.removeprefix(SEPARATOR), target)


def _walk(file: IO[bytes], name: str, tally: Tally) -> Iterator[Member]:
    """Yield the members of a seekable archive."""
    file.seek(0)
    kind = kind_of(read_exactly(file, HEAD_LENGTH))
    file.seek(0)
    tally.enter()
    with telling_damage():
        if kind is Kind.ZIP:
            yield from _zip_members(file, name, tally)
        elif kind is Kind.TAR:
            yield from _tar_members(file, name, tally)
        else:
            yield from _compressed_members(file, name, kind, tally)
    tally.leave()


def _opened(member: Member, tally: Tally) -> Iterator[Member]:
    """Yield a member, or in its place the members of the archive that it is."""
    stream = replayed(member.stream)
    if kind_of(stream.head) is None:
        yield Member(member.path, stream)
        drain(stream)  # so that a tar goes on at the next header, and every checksum is looked at
        return
    with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as inner:
        while chunk := stream.read(CHUNK):
            inner.write(chunk)
        yield from _walk(cast("IO[bytes]", inner), member.path, tally)


def _inner_path(outer: str, name: str) -> str:
    """Return the path of a member for messages; refuse names that lead out of the archive."""
    plain = name.replace("\\", "/")
    if plain.startswith("/") or ".." in plain.split("/") or _DRIVE.match(plain):
        raise unsafe("a member's path leads out of the archive")
    return f"{outer}{SEPARATOR}{plain}"


# --- zip -----------------------------------------------------------------------------------------


def _zip_members(file: IO[bytes], name: str, tally: Tally) -> Iterator[Member]:
    _check_directory(file, tally.bounds)
    with zipfile.ZipFile(file) as opened:
        infos = opened.infolist()
        _check_overlap(infos)
        for info in infos:
            tally.member()
            path = _inner_path(name, info.filename)
            _check_entry(info)
            packed = max(info.compress_size, 1)
            tally.declared(info.file_size, packed)
            if not info.is_dir():
                with _zip_stream(opened, info) as stream:
                    metered = Metered(stream, partial(tally.unpacked, packed))
                    yield from _opened(Member(path, metered), tally)


def _zip_stream(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return opened.open(info)
    except NotImplementedError as error:
        message = "a member is packed by a method that is not supported; pack it again"
        raise Refused("unsupported", "archive", message) from error


def _check_directory(file: IO[bytes], bounds: Bounds) -> None:
    """Bound the central directory before zipfile reads it: a zip of nothing else can be large."""
    end = file.seek(0, 2)
    start = max(0, end - _COMMENT_BYTES_MAX - _END_RECORD.size)
    file.seek(start)
    rest = read_exactly(file, end - start)
    at = rest.rfind(b"PK\5\6")
    if at < 0 or len(rest) - at < _END_RECORD.size:
        raise Refused("unreadable", "archive", "the zip has no central directory; send it again")
    size = int(_END_RECORD.unpack_from(rest, at)[5])
    if size == 0xFFFFFFFF:
        at = rest.rfind(b"PK\6\6", 0, at)
        size = int(_END_RECORD_64.unpack_from(rest, at)[8]) if at >= 0 else end
    if size > bounds.members_max * DIRECTORY_BYTES_PER_MEMBER:
        raise over("the zip's directory is too large")
    file.seek(0)


def _check_overlap(infos: list[zipfile.ZipInfo]) -> None:
    """Refuse members that share packed bytes: so a small zip unpacks to any size."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise unsafe("members of the zip overlap")
        end = info.header_offset + LOCAL_HEADER_LENGTH + info.compress_size


def _check_entry(info: zipfile.ZipInfo) -> None:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Refused("not_regular", "archive-unsafe", "a member is a link or a device")
    if info.flag_bits & 0x41:  # encrypted, strongly encrypted (APPNOTE 4.4.4)
        raise Refused("unsupported", "archive", "the zip is encrypted; send it without a password")


# --- tar and compressed files --------------------------------------------------------------------


def _tar_members(file: Readable, name: str, tally: Tally) -> Iterator[Member]:
    rationed = Rationed(file)
    with tarfile.open(fileobj=cast("IO[bytes]", rationed), mode="r|") as opened:
        while info := opened.next():
            tally.member()
            path = _inner_path(name, info.name)
            if not (info.isreg() or info.isdir()) or info.issparse():
                raise Refused("not_regular", "archive-unsafe", "a member is a link or a device")
            tally.declared(info.size, max(info.size, 1))
            rationed.ration = info.size + TAR_HEADERS_BYTES
            stream = opened.extractfile(info)
            if stream is not None:
                metered = Metered(stream, partial(tally.unpacked, max(info.size, 1)))
                yield from _opened(Member(path, metered), tally)
            opened.members.clear()  # type: ignore[attr-defined]  # else every header is kept


def _compressed_members(
    file: IO[bytes], name: str, kind: Kind | None, tally: Tally
) -> Iterator[Member]:
    """Yield the one file that was compressed, or the members of the tar that it is."""
    if kind is None:
        raise Refused("not_dicom", "archive", "this is no archive")
    with _decompressed(file, kind) as opened:
        stream = replayed(
            Metered(opened, lambda _chunk, size: tally.shrunk(size, max(file.tell(), 1)))
        )
        if kind_of(stream.head) is Kind.TAR:
            yield from _tar_members(stream, name, tally)
            return
        tally.member()
        inner = re.sub(r"\.(gz|bz2|xz)\Z", "", name.rpartition("/")[2], flags=re.IGNORECASE)
        metered = Metered(stream, lambda chunk, size: tally.unpacked(size, chunk, size))
        yield from _opened(Member(f"{name}{SEPARATOR}{inner}", metered), tally)


def _decompressed(file: IO[bytes], kind: Kind) -> IO[bytes]:
    if kind is Kind.GZIP:
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
    if kind is Kind.BZIP2:
        return cast("IO[bytes]", bz2.BZ2File(file, "rb"))
    return cast("IO[bytes]", lzma.LZMAFile(file, "rb"))
