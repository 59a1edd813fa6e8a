"""Levels of a data set, and the two runs along them that speed and size are about."""

from struct import Struct, unpack_from
from typing import Final

from attrs import define, field

from qa_daemon.dicom.encoding.dictionary import SHORT_VRS, vr_of
from qa_daemon.dicom.encoding.elements_at import (
    EXPLICIT_HEADS,
    VR_NAMES,
    Header,
    header_at,
)
from qa_daemon.dicom.encoding.tokens import (
    ITEM,
    SEQUENCE_END,
    Content,
    Encoding,
    Token,
)

#: Between these no tag is special by itself: no banned group, no Pixel Data, no delimiter.
_FIRST_PLAIN: Final = 0x00080000
_LAST_PLAIN: Final = 0x7FE00007
_IMPLICIT_HEAD: Final = Struct("<HHI")


@define
class Elements:
    """A level of elements: the data set itself, or one item."""

    end: int  # no byte from here on belongs to it
    encoding: Encoding
    is_bounded: bool  # by a length of its own
    tokens: list[Token] = field(factory=list)
    last: int = -1
    seen: set[int] | None = None
    is_disordered: bool = False


@define
class Sequence:
    """A level of items."""

    tag: int
    end: int
    encoding: Encoding
    is_bounded: bool
    items: list[list[Token]] = field(factory=list)


def take_plain(content: Content, at: int, level: Elements, tokens_max: int) -> int:
    """Take elements as long as nothing is special about them; return where the first other stands.

    Special are sequences, UN, special groups, disorder and values beyond the end of the level.
    """
    many = len(level.tokens)
    take = _take_explicit if level.encoding.is_explicit else _take_implicit
    at = take(content, at, level, tokens_max)
    taken = level.tokens[many:]
    if taken:
        level.last = taken[-1].tag
        if level.seen is not None:
            level.seen.update(token.tag for token in taken)
    return at


def _take_explicit(content: Content, at: int, level: Elements, tokens_max: int) -> int:
    end, last, tokens = level.end, level.last, level.tokens
    head = EXPLICIT_HEADS[level.encoding.order].unpack_from
    wide = level.encoding.order + "I"
    while at + 12 <= end and len(tokens) <= tokens_max:
        group, element, vr_bytes, length = head(content, at)
        tag, vr = group << 16 | element, VR_NAMES.get(vr_bytes, "SQ")
        if tag <= last or not _FIRST_PLAIN <= tag <= _LAST_PLAIN or vr in ("SQ", "UN"):
            break
        offset = at + 8
        if vr not in SHORT_VRS:
            (length,) = unpack_from(wide, content, offset)
            offset += 4
        if offset + length > end:
            break
        tokens.append(Token(tag, vr, offset, length))
        at, last = offset + length, tag
    return at


def _take_implicit(content: Content, at: int, level: Elements, tokens_max: int) -> int:
    end, last, tokens = level.end, level.last, level.tokens
    while at + 8 <= end and len(tokens) <= tokens_max:
        group, element, length = _IMPLICIT_HEAD.unpack_from(content, at)
        tag = group << 16 | element
        if tag <= last or not _FIRST_PLAIN <= tag <= _LAST_PLAIN or at + 8 + length > end:
            break
        vr = vr_of(tag)
        if vr == "SQ":
            break
        tokens.append(Token(tag, vr, at + 8, length))
        at, last = at + 8 + length, tag
    return at


@define
class Fragments:
    """The pieces of encapsulated Pixel Data (PS3.5 A.4): offset table, fragments, delimiter.

    Attributes
    ----------
    at
        Behind what was taken.
    found
        (offset, length) of each piece, the offset table first.
    oddities
        Kind and message of what is not as it should be.
    """

    content: Content
    at: int
    end: int
    encoding: Encoding
    found: list[tuple[int, int]] = field(factory=list)
    oddities: dict[str, str] = field(factory=dict)

    def take(self) -> bool:
        """Take the next piece; return whether there may be more."""
        piece = header_at(self.content, self.at, self.end, self.encoding)
        if piece is None:
            kind = "pixel-data-truncated" if self.end > self.at else "delimiter-missing"
            self.oddities[kind] = "Pixel Data is not ended"
            self.at = self.end
            return False
        if piece.tag == ITEM:
            return self._piece(piece)
        if piece.tag == SEQUENCE_END:
            if piece.length:
                self.oddities["delimiter-length"] = "the delimiter of Pixel Data has a length"
            self.at = piece.offset
            return False
        self.oddities["delimiter-missing"] = "Pixel Data is not ended"
        return False

    def _piece(self, piece: Header) -> bool:
        if piece.stop > self.end:
            message = "the object ends inside a fragment of Pixel Data"
            self.oddities["pixel-data-truncated"] = message
            self.found.append((piece.offset, self.end - piece.offset))
            self.at = self.end
            return False
        if piece.length % 2:
            self.oddities["fragment-odd"] = "a fragment of Pixel Data has an odd length"
        self.found.append((piece.offset, piece.length))
        self.at = piece.stop
        return True
