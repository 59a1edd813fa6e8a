"""What the scan is made of: tokens, encodings, notes of oddities, the refusal."""

from mmap import mmap
from typing import Final, NamedTuple, TypeAlias

from attrs import define, field, frozen

from qa_daemon.errors import InputError
from qa_daemon.records.instance import Irregularity

#: The whole object; slices are copied, so nothing keeps a mapped file open.
Content: TypeAlias = bytes | bytearray | memoryview | mmap

UNDEFINED: Final = 0xFFFFFFFF  # undefined length, PS3.5 7.1.1
ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD
PIXEL_DATA: Final = 0x7FE00010
#: Float, Double Float and integer Pixel Data (PS3.3 C.7.6.24).
PIXEL_TAGS: Final = frozenset((0x7FE00008, 0x7FE00009, PIXEL_DATA))


class Token(NamedTuple):
    """One data element: where its value lies, not what it says.

    `items` holds the elements of each item for a sequence, and is None for everything else;
    `fragments` the (offset, length) of each item of encapsulated Pixel Data, the offset table
    first. `length` is that of the bytes at hand, never UNDEFINED.
    """

    tag: int
    vr: str
    offset: int
    length: int
    items: "list[list[Token]] | None" = None
    fragments: "list[tuple[int, int]] | None" = None


@frozen
class Encoding:
    """How elements are written."""

    is_explicit: bool = True
    is_little: bool = True

    @property
    def order(self) -> str:
        """The byte order as `struct` spells it."""
        return "<" if self.is_little else ">"


EXPLICIT: Final = Encoding()
IMPLICIT: Final = Encoding(is_explicit=False)
EXPLICIT_BIG: Final = Encoding(is_little=False)


class Refused(InputError):  # noqa: N818  the interface between rooms names it so
    """The object cannot be taken in.

    Attributes
    ----------
    reason
        A word of the contract: not_dicom, truncated, unreadable, unsupported, limit.
    kind
        The finer permanent name, such as `uid-missing`.
    """

    def __init__(self, reason: str, kind: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.kind = kind

    def __reduce__(self) -> tuple[type["Refused"], tuple[str, str, str]]:
        """Travel between processes with reason and kind."""
        return Refused, (self.reason, self.kind, str(self))


@define
class Notes:
    """Collects irregularities, each kind and path once, up to a bound."""

    irregularities_max: int
    kept: dict[tuple[str, str | None], Irregularity] = field(factory=dict)

    def add(self, kind: str, message: str, path: str | None = None) -> None:
        """Keep one irregularity; a kind that is new has room even beyond the bound."""
        key = (kind, path)
        if key in self.kept:
            return
        if len(self.kept) >= self.irregularities_max:
            key = (kind, None)
            path = None
        if key not in self.kept:
            self.kept[key] = Irregularity(kind, message, path)

    def has(self, kind: str) -> bool:
        """Whether an irregularity of this kind was noted."""
        return any(noted == kind for noted, _ in self.kept)

    @property
    def irregularities(self) -> tuple[Irregularity, ...]:
        """All that was kept, in the order of its discovery."""
        return tuple(self.kept.values())


def cut(content: Content, offset: int, length: int) -> bytes:
    """Return a copy of `length` bytes."""
    return bytes(content[offset : offset + length])
