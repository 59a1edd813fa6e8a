"""Values of one element: from its bytes to text and numbers, by VR (PS3.5 6.2)."""

from struct import unpack_from
from typing import Final

from qa_daemon.dicom.encoding.dictionary import BINARY_SIZES, received_vrs, vr_of
from qa_daemon.dicom.encoding.text import Charset
from qa_daemon.dicom.encoding.tokens import Content, Encoding, Token, cut

#: VRs whose text is written in the Specific Character Set (PS3.5 6.1.2.3).
CHARSET_VRS: Final = frozenset(("SH", "LO", "ST", "PN", "LT", "UC", "UT"))
#: VRs of one text, in which a backslash separates nothing and leading blanks count.
WHOLE_VRS: Final = frozenset(("ST", "LT", "UT", "UR"))
#: VRs of text.
TEXT_VRS: Final = CHARSET_VRS | frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR")
)
_FORMATS: Final = {
    "FD": "d", "FL": "f", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q",
}  # fmt: skip
_PADDING: Final = " \0"
PIXEL_REPRESENTATION: Final = 0x00280103


def resolved_vr(token: Token, *, signed: bool) -> str:
    """Return the VR in which to read: UN by dictionary, US or SS by Pixel Representation."""
    vr = vr_of(token.tag) if token.vr == "UN" else token.vr
    if signed and vr == "US" and "SS" in received_vrs(token.tag):
        return "SS"
    return vr


def texts_of(raw: bytes, vr: str, charset: Charset) -> tuple[str, ...]:
    """Return the values of a text VR without padding, `()` if there is nothing else."""
    text = charset.decode(raw).text if vr in CHARSET_VRS else raw.decode("ascii", "replace")
    if vr in WHOLE_VRS:
        whole = text.rstrip(_PADDING)
        return (whole,) if whole else ()
    if not text.strip(_PADDING):
        return ()
    return tuple(value.strip(_PADDING) for value in text.split("\\"))


def numbers_of(raw: bytes, vr: str, encoding: Encoding) -> tuple[int | float | str, ...]:
    """Return the values of a binary VR, AT as eight hex digits; bytes left over are dropped."""
    size = BINARY_SIZES.get(vr, 0)
    if vr == "AT":
        pairs = unpack_from(f"{encoding.order}{len(raw) // 4 * 2}H", raw)
        return tuple(
            f"{group:04X}{element:04X}"
            for group, element in zip(pairs[::2], pairs[1::2], strict=True)
        )
    if vr not in _FORMATS:
        return ()
    return unpack_from(f"{encoding.order}{len(raw) // size}{_FORMATS[vr]}", raw)


def raw_of(content: Content, token: Token) -> bytes:
    """Return the bytes of the value."""
    return cut(content, token.offset, token.length)
