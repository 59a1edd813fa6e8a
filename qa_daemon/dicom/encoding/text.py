"""Text in the character sets of PS3.3 C.12.1.1.2, strict where they are declared."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from attrs import frozen

#: Python codec and escape sequences of each term without and with code extensions.
_SINGLE: Final = {
    "ISO_IR 6": "ascii", "ISO_IR 13": "shift_jis", "ISO_IR 100": "latin_1",
    "ISO_IR 101": "iso8859_2", "ISO_IR 109": "iso8859_3", "ISO_IR 110": "iso8859_4",
    "ISO_IR 126": "iso8859_7", "ISO_IR 127": "iso8859_6", "ISO_IR 138": "iso8859_8",
    "ISO_IR 144": "iso8859_5", "ISO_IR 148": "iso8859_9", "ISO_IR 166": "iso8859_11",
    "ISO_IR 203": "iso8859_15", "ISO_IR 192": "utf_8", "GB18030": "gb18030", "GBK": "gbk",
}  # fmt: skip
_ALONE: Final = frozenset(("ISO_IR 192", "GB18030", "GBK"))
_EXTENDED: Final = {
    "ISO 2022 IR 6": ("ascii", (b"(B",)), "ISO 2022 IR 13": ("shift_jis", (b")I", b"(J")),
    "ISO 2022 IR 100": ("latin_1", (b"-A",)), "ISO 2022 IR 101": ("iso8859_2", (b"-B",)),
    "ISO 2022 IR 109": ("iso8859_3", (b"-C",)), "ISO 2022 IR 110": ("iso8859_4", (b"-D",)),
    "ISO 2022 IR 126": ("iso8859_7", (b"-F",)), "ISO 2022 IR 127": ("iso8859_6", (b"-G",)),
    "ISO 2022 IR 138": ("iso8859_8", (b"-H",)), "ISO 2022 IR 144": ("iso8859_5", (b"-L",)),
    "ISO 2022 IR 148": ("iso8859_9", (b"-M",)), "ISO 2022 IR 166": ("iso8859_11", (b"-T",)),
    "ISO 2022 IR 203": ("iso8859_15", (b"-b",)), "ISO 2022 IR 87": ("iso2022_jp", (b"$B",)),
    "ISO 2022 IR 159": ("iso2022_jp_2", (b"$(D",)), "ISO 2022 IR 149": ("euc_kr", (b"$)C",)),
    "ISO 2022 IR 58": ("gb2312", (b"$)A",)),
}  # fmt: skip
_CODEC_BY_ESCAPE: Final = {
    b"\x1b" + escape: codec for codec, escapes in _EXTENDED.values() for escape in escapes
}
_ESCAPE: Final = re.compile(
    b"(" + b"|".join(re.escape(e) for e in sorted(_CODEC_BY_ESCAPE, key=len, reverse=True)) + b")"
)
#: Sets of 94 x 94 characters in G0, where every byte is half a character.
_DOUBLE: Final = frozenset(("iso2022_jp", "iso2022_jp_2"))
_ASCII_ESCAPES: Final = frozenset((b"\x1b(B", b"\x1b(J"))
_TERMS_MAX: Final = 20  # more than all sets that can be combined


class Decoded(NamedTuple):
    """A text, and the kind of irregularity met in decoding, None if it went well."""

    text: str
    kind: str | None = None


@frozen
class Charset:
    """Specific Character Set (0008,0005) of one data set or item.

    Attributes
    ----------
    codec
        Of the first term; None if nothing was declared, or nothing that is known.
    escapes
        Escape sequences that the terms allow; None without code extensions.
    is_known
        Whether every term is one of the standard and they may stand together.
    """

    codec: str | None = None
    escapes: frozenset[bytes] | None = None
    is_known: bool = True

    def decode(self, raw: bytes) -> Decoded:
        """Return the text; what does not fit becomes U+FFFD."""
        has_escapes = b"\x1b" in raw and _ESCAPE.search(raw) is not None
        if not has_escapes and raw.isascii():
            return Decoded(raw.decode("ascii"))
        if not self.is_known:
            return Decoded(_by_trial(raw))
        if self.escapes is not None or has_escapes:
            return self._decode_extended(raw)
        if self.codec in (None, "ascii"):
            return Decoded(_by_trial(raw), "charset-undeclared")
        return self._decode_plain(raw)

    def _decode_plain(self, raw: bytes) -> Decoded:
        assert self.codec is not None
        try:
            return Decoded(raw.decode(self.codec))
        except UnicodeDecodeError:
            return Decoded(raw.decode(self.codec, "replace"), "charset-decode")

    def _decode_extended(self, raw: bytes) -> Decoded:
        """Follow the escape sequences (PS3.5 6.1.2.5.3)."""
        kind = "charset-undeclared" if self.codec is None else None
        codec, escape, parts = self.codec or "ascii", b"", list[str]()
        for piece in _ESCAPE.split(raw):
            if piece in _CODEC_BY_ESCAPE:
                if piece not in (self.escapes or ()) and piece != b"\x1b(B":
                    kind = kind or "charset-decode"
                escape, codec = piece, self._codec_behind(piece, codec)
                continue
            text, is_sound = _piece(piece, escape, codec)
            parts.append(text)
            kind = kind if is_sound else (kind or "charset-decode")
        if codec in _DOUBLE:  # the value must end in the initial state
            kind = kind or "charset-decode"
        return Decoded("".join(parts), kind)

    def _codec_behind(self, escape: bytes, codec: str) -> str:
        if escape in _ASCII_ESCAPES:  # G0 is single-byte again; G1 stays what it was
            return codec if codec not in _DOUBLE else (self.codec or "ascii")
        return _CODEC_BY_ESCAPE[escape]


def _piece(raw: bytes, escape: bytes, codec: str) -> tuple[str, bool]:
    if codec in _DOUBLE:
        raw = escape + raw
    if b"\x1b" in raw and codec not in _DOUBLE:  # an escape sequence that is none of PS3.5
        return raw.decode("ascii", "replace"), False
    try:
        return raw.decode(codec), True
    except UnicodeDecodeError:
        return raw.decode(codec, "replace"), False


def _by_trial(raw: bytes) -> str:
    """Undeclared text: UTF-8 is hardly ever right by chance, Latin-1 always fits."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


#: Nothing declared: the default repertoire.
UNDECLARED: Final = Charset()


@lru_cache(maxsize=256)
def charset_of(terms: tuple[str, ...]) -> Charset:
    """Return the character set for the values of (0008,0005), stripped."""
    if not any(terms):
        return UNDECLARED
    if len(terms) == 1 and terms[0] in _SINGLE:
        return Charset(_SINGLE[terms[0]])
    if len(terms) > _TERMS_MAX or _ALONE.intersection(terms):
        return Charset(is_known=False)
    known = [_extended(term, place) for place, term in enumerate(terms)]
    if any(entry is None for entry in known):
        return Charset(is_known=False)
    entries = [entry for entry in known if entry is not None]
    escapes = frozenset(b"\x1b" + escape for entry in entries for escape in entry[1])
    codec = entries[0][0]
    return Charset("ascii" if codec in _DOUBLE else codec, escapes)


def _extended(term: str, place: int) -> tuple[str, tuple[bytes, ...]] | None:
    """Return codec and escapes; only the first term may be empty or without code extensions."""
    if place == 0 and not term:
        return _EXTENDED["ISO 2022 IR 6"]
    if place == 0 and term in _SINGLE:
        return _EXTENDED.get(term.replace("ISO_IR", "ISO 2022 IR"))
    return _EXTENDED.get(term)
