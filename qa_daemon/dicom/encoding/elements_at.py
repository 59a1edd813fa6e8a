"""Single element headers: how one is read, and whether one may stand at a place."""

from struct import Struct, unpack_from
from typing import Final, NamedTuple

from qa_daemon.dicom.encoding.dictionary import LONG_VRS, SHORT_VRS, is_private, vr_of
from qa_daemon.dicom.encoding.tokens import (
    EXPLICIT,
    EXPLICIT_BIG,
    IMPLICIT,
    PIXEL_TAGS,
    UNDEFINED,
    Content,
    Encoding,
    cut,
)

#: Tag, VR and 16 bits of length, by byte order.
EXPLICIT_HEADS: Final = {"<": Struct("<HH2sH"), ">": Struct(">HH2sH")}
VR_NAMES: Final = {vr.encode(): vr for vr in SHORT_VRS | LONG_VRS}
_GUESSES: Final = (EXPLICIT, IMPLICIT, EXPLICIT_BIG)
#: Elements looked at before an encoding is believed.
LOOKED_AT: Final = 4
#: Data sets begin in group 0008; these groups may come first all the same.
FIRST_GROUPS: Final = range(0x0011)


class Header(NamedTuple):
    """Tag, VR, place of the value and its declared length; VR `""` where it is none of PS3.5."""

    tag: int
    vr: str
    offset: int
    length: int

    @property
    def stop(self) -> int:
        """The first byte behind the value, if the length is true."""
        return self.offset + self.length


def header_at(content: Content, at: int, end: int, encoding: Encoding) -> Header | None:
    """Return the header at `at`; None if the bytes before `end` do not hold one."""
    if at + 8 > end:
        return None
    group, element, vr_bytes, short = EXPLICIT_HEADS[encoding.order].unpack_from(content, at)
    tag = group << 16 | element
    if group == 0xFFFE or not encoding.is_explicit:
        (length,) = unpack_from(encoding.order + "I", content, at + 4)
        return Header(tag, "" if group == 0xFFFE else vr_of(tag), at + 8, length)
    vr = VR_NAMES.get(vr_bytes, "")
    if vr not in LONG_VRS:
        return Header(tag, vr, at + 8, short)
    if at + 12 > end:
        return None
    (length,) = unpack_from(encoding.order + "I", content, at + 8)
    return Header(tag, vr, at + 12, length)


def is_plausible(content: Content, at: int, end: int, encoding: Encoding) -> bool:
    """Whether an element may begin at `at`: a VR of PS3.5 and a length that fits."""
    header = header_at(content, at, end, encoding)
    if header is None or header.tag == 0 or header.tag >> 16 == 0xFFFF:
        return False
    if not encoding.is_explicit and header.vr == "UN" and not is_private(header.tag):
        return False
    if header.length == UNDEFINED:
        return header.vr in ("SQ", "UN") or header.tag in PIXEL_TAGS
    return header.vr != "" and header.stop <= end


def plausible_run(content: Content, at: int, end: int, encoding: Encoding) -> int:
    """Return how many elements in ascending order seem to stand at `at`, up to LOOKED_AT.

    Reaching the end exactly, Pixel Data or a sequence counts as all of them.
    """
    last = -1
    for seen in range(LOOKED_AT):
        if at == end and seen:
            return LOOKED_AT
        header = header_at(content, at, end, encoding)
        if header is None or header.tag <= last or (not seen and not _may_be_first(header)):
            return seen
        if header.tag in PIXEL_TAGS and header.vr in ("OB", "OW"):
            return LOOKED_AT  # its length is judged elsewhere
        if header.tag and not is_plausible(content, at, end, encoding):
            return seen
        if header.length == UNDEFINED:
            return LOOKED_AT
        last, at = header.tag, header.stop
    return LOOKED_AT


def _may_be_first(header: Header) -> bool:
    return header.tag >> 16 in FIRST_GROUPS and (header.tag != 0 or header.length == 4)


def guess_encoding(
    content: Content, at: int, end: int, declared: Encoding | None
) -> Encoding | None:
    """Return the encoding that fits best, the declared one where it fits as well; else None."""
    runs = {guess: plausible_run(content, at, end, guess) for guess in _GUESSES}
    best = max(runs.values())
    if declared is not None and runs[declared] and runs[declared] == best:
        return declared
    if declared is not None and not best and is_plausible(content, at, end, declared):
        return declared  # it begins where no data set should, but it makes sense
    # without a declaration, two elements in a row are the least that is believed
    if best < (1 if declared else 2):
        return None
    return next(guess for guess in _GUESSES if runs[guess] == best)


def odd_vr_header(content: Content, header: Header, end: int, encoding: Encoding) -> Header | None:
    """Return the header of an element with an unknown VR, None if no reading of it makes sense.

    PS3.5 7.1.2 gives VRs yet unknown 32 bits of length; writers of nonsense use 16, or leave the
    VR out. That reading counts behind which another element begins.
    """
    at = header.offset - 8
    if at + 12 > end:
        return None
    raw = cut(content, at + 4, 2)
    (wide,) = unpack_from(encoding.order + "I", content, at + 4)
    (far,) = unpack_from(encoding.order + "I", content, at + 8)
    short, long = header, Header(header.tag, "", at + 12, far)
    implied = Header(header.tag, "", at + 8, wide)
    forms: tuple[Header, ...]
    if raw.isalpha() and raw.isupper():
        forms = (long, short) if header.length == 0 else (short,)
    else:
        forms = (short, implied, long)
    for form in forms:
        if form.length != UNDEFINED and _lands(content, form, end, encoding):
            vr = vr_of(header.tag)
            return form._replace(vr="UN" if vr == "SQ" else vr)
    return None


def _lands(content: Content, form: Header, end: int, encoding: Encoding) -> bool:
    if form.stop == end:
        return True
    after = header_at(content, form.stop, end, encoding)
    if after is None:
        return False
    return after.tag >> 16 == 0xFFFE or (
        after.tag > form.tag and is_plausible(content, form.stop, end, encoding)
    )
