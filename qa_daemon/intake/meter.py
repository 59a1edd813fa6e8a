"""How far archives are followed: bounds, what was met so far, and streams that count as they go."""

import contextlib
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from attrs import define, frozen

from qa_daemon.config.settings import FolderSettings
from qa_daemon.dicom.scan import Refused
from qa_daemon.limits import Limits

CHUNK: Final = 256 << 10
HEAD_LENGTH: Final = 512  # enough to tell kinds apart: one tar header
RATIO_FLOOR_BYTES: Final = 16 << 20  # small blank images shrink a thousandfold, and are harmless
TAR_HEADERS_BYTES: Final = 1 << 20  # tarfile reads extended headers into memory


@frozen(kw_only=True)
class Bounds:
    """How far an archive is followed. Counts and bytes are those of all levels together.

    Attributes
    ----------
    depth_max
        Levels of archives within archives; a compressed tar is one level.
    bytes_max
        All members together, unpacked.
    member_bytes_max
        One object.
    ratio_max
        Unpacked to packed, looked at from `RATIO_FLOOR_BYTES` on.
    """

    depth_max: int
    members_max: int
    bytes_max: int
    member_bytes_max: int
    ratio_max: float

    @classmethod
    def of(cls, settings: FolderSettings, limits: Limits) -> "Bounds":
        """Return the bounds in force."""
        return cls(
            depth_max=settings.archive_depth_max,
            members_max=settings.archive_members_max,
            bytes_max=settings.archive_bytes_max,
            member_bytes_max=limits.object_bytes_max,
            ratio_max=settings.archive_ratio_max,
        )


class Readable(Protocol):
    """A stream that can only be read."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, at least one unless at the end."""


@define
class Tally:
    """What was met so far, against the bounds."""

    bounds: Bounds
    depth: int = 0
    members: int = 0
    bytes: int = 0

    def enter(self) -> None:
        """Go one level deeper."""
        self.depth += 1
        if self.depth > self.bounds.depth_max:
            raise over(f"archives are nested more than {self.bounds.depth_max} deep")

    def leave(self) -> None:
        """Come back up."""
        self.depth -= 1

    def member(self) -> None:
        """Count a member, folders included."""
        self.members += 1
        if self.members > self.bounds.members_max:
            raise over(f"the archive has more than {self.bounds.members_max} members")

    def unpacked(self, packed: int, size: int, member_size: int) -> None:
        """Count `size` more bytes; `member_size` of this member so far, from `packed` bytes."""
        self.bytes += size
        if self.bytes > self.bounds.bytes_max:
            raise over(f"the archive unpacks to more than {self.bounds.bytes_max} bytes")
        self.declared(member_size, packed)

    def declared(self, member_size: int, packed: int) -> None:
        """Hold what one member is, or says it is, against the bounds."""
        if member_size > self.bounds.member_bytes_max:
            raise over(f"a member has more than {self.bounds.member_bytes_max} bytes")
        self.shrunk(member_size, packed)

    def shrunk(self, size: int, packed: int) -> None:
        """Hold the ratio of packing against its bound."""
        if size > RATIO_FLOOR_BYTES and size > self.bounds.ratio_max * packed:
            raise over(f"the content shrank more than {self.bounds.ratio_max:g}-fold: a bomb")


def over(message: str) -> Refused:
    """Return the refusal of an archive over one of its bounds."""
    return Refused("limit", "archive-unsafe", f"{message}; unpack it by hand if it is trusted")


def unsafe(message: str) -> Refused:
    """Return the refusal of an archive that tries to get out."""
    return Refused("unsupported", "archive-unsafe", f"{message}; nothing of the archive is taken")


def damaged(error: Exception) -> Refused:
    """Return the refusal of an archive that cannot be taken apart."""
    name = type(error).__name__
    return Refused("unreadable", "archive", f"the archive is damaged ({name}); send it again")


#: What the standard library raises over archives that are cut, altered or forged.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    LookupError,
    ValueError,
    struct.error,
    OverflowError,
    RuntimeError,
)


@contextlib.contextmanager
def telling_damage() -> Iterator[None]:
    """Turn what the standard library raises over damage into a refusal."""
    try:
        yield
    except _DAMAGE as error:
        raise damaged(error) from error
    except OSError as error:
        if error.errno is not None:
            raise  # the disk, not the archive
        raise damaged(error) from error


@define
class Metered:
    """A stream whose bytes are counted as they are read."""

    stream: Readable
    count: Callable[[int, int], None]
    size: int = 0

    def read(self, size: int, /) -> bytes:
        """Read and count."""
        with telling_damage():
            content = self.stream.read(min(size, CHUNK))
        self.size += len(content)
        self.count(len(content), self.size)
        return content


@define
class Rationed:
    """The bytes under a tar: only as many as the next step may use up."""

    stream: Readable
    ration: int = TAR_HEADERS_BYTES

    def read(self, size: int, /) -> bytes:
        """Read all of `size`, unless it is over the ration or the end comes."""
        if size > self.ration:
            raise over("the headers of a tar member are too long")
        content = read_exactly(self.stream, size)
        self.ration -= len(content)
        return content


@define
class Replayed:
    """A stream that gives its head again, though it was looked at."""

    stream: Readable
    head: bytes
    at: int = 0

    def read(self, size: int, /) -> bytes:
        """Read the head first."""
        if self.at == len(self.head):
            return self.stream.read(size)
        taken = self.head[self.at : self.at + size]
        self.at += len(taken)
        return taken


def replayed(stream: Readable) -> Replayed:
    """Look at the head of a stream."""
    return Replayed(stream, read_exactly(stream, HEAD_LENGTH))


def read_exactly(stream: Readable, size: int) -> bytes:
    """Return `size` bytes, fewer at the end."""
    parts = []
    while size and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def drain(stream: Readable) -> None:
    """Read to the end."""
    while stream.read(CHUNK):
        pass
