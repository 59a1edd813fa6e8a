"""The pre-scan: what lies where in an object, with every length checked against its bytes.

Part 10 files, files without preamble, bare data sets; explicit and implicit VR, both byte orders,
deflated; encapsulated Pixel Data. Nothing is decoded and no Pixel Data is copied.
"""

import zlib
from typing import Final

from attrs import frozen

from qa_daemon.dicom.encoding.dictionary import UIDS
from qa_daemon.dicom.encoding.elements_at import guess_encoding
from qa_daemon.dicom.encoding.meta import Meta, read_meta
from qa_daemon.dicom.encoding.tokens import (
    EXPLICIT,
    EXPLICIT_BIG,
    IMPLICIT,
    Content,
    Encoding,
    Notes,
    Refused,
    Token,
    cut,
)
from qa_daemon.dicom.encoding.walk import Walk
from qa_daemon.limits import Limits

__all__ = ["Content", "Notes", "Refused", "Scan", "Token", "scan"]

IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
BIG: Final = "1.2.840.10008.1.2.2"
#: Deflated, deflated JPIP (PS3.5 A.5, A.7, A.9).
DEFLATED: Final = frozenset(
    ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205")
)
#: Transfer syntaxes whose data sets are not written by PS3.5 section 7: MIME and XML.
_NOT_BINARY: Final = ("1.2.840.10008.1.2.6.",)
#: Newer than the tables of pydicom 3.0: Deflated Image Frame, JPEG XL (PS3.5 A.4).
_NEWER: Final = frozenset(
    (
        "1.2.840.10008.1.2.8.1",
        "1.2.840.10008.1.2.4.110",
        "1.2.840.10008.1.2.4.111",
        "1.2.840.10008.1.2.4.112",
    )
)
TRANSFER_SYNTAXES: Final = _NEWER | frozenset(
    uid
    for uid, entry in UIDS.items()
    if entry[1] == "Transfer Syntax" and not uid.startswith(_NOT_BINARY)
)
_BY_UID: Final = {IMPLICIT_LITTLE: IMPLICIT, "1.2.840.10008.1.20": IMPLICIT, BIG: EXPLICIT_BIG}
_NATIVE_UIDS: Final = {IMPLICIT: IMPLICIT_LITTLE, EXPLICIT: EXPLICIT_LITTLE, EXPLICIT_BIG: BIG}
_INFLATE_STEP: Final = 1 << 20
#: Padding to even length; some writers leave the checksum and length of RFC 1952 there as well.
_DEFLATE_TRAILER: Final = 9


@frozen
class Scan:
    """What lies where.

    Attributes
    ----------
    content
        The bytes in which the offsets count: the object, or the inflated data set.
    data_set
        The outermost elements, those of group 0002 left out.
    transfer_syntax_uid
        As declared; where nothing is declared or it is untrue, the native one that fits.
    encoding
        How the data set is really written.
    pixel_data
        The outermost Pixel Data, Float or Double Float Pixel Data.
    data_set_offset
        Where the data set begins in the object as received.
    """

    content: Content
    data_set: list[Token]
    meta: Meta
    transfer_syntax_uid: str
    encoding: Encoding
    pixel_data: Token | None
    notes: Notes
    data_set_offset: int


def scan(content: Content, limits: Limits) -> Scan:
    """Return what lies where in one object.

    Raises
    ------
    Refused
        If the object cannot be read within the limits; `reason` and `kind` say why.
    """
    end = len(content)
    if end == 0:
        raise Refused("not_dicom", "empty", "0 bytes")
    if end > limits.object_bytes_max:
        raise Refused("limit", "too-large", f"more than {limits.object_bytes_max} bytes")
    notes = Notes(limits.irregularities_max)
    meta = read_meta(content, end, notes)
    if not meta.is_present:
        meta = Meta(bare_offset(content))
    uid = meta.transfer_syntax_uid
    if uid and uid not in TRANSFER_SYNTAXES:
        message = "the transfer syntax is private or unknown"
        raise Refused("unsupported", "transfer-syntax-unknown", message)
    if meta.is_present and meta.data_set_offset >= end:
        message = "the object ends behind the file meta information"
        raise Refused("truncated", "truncated", message)
    body, start = content, meta.data_set_offset
    if uid in DEFLATED:
        body, start = inflate(content, start, limits, notes), 0
    return _walk(body, start, meta, limits, notes)


def bare_offset(content: Content) -> int:
    """Return where a bare data set begins: 0, or 1 in files with a stray byte before it."""
    end = len(content)
    offsets = (at for at in (0, 1) if guess_encoding(content, at, end, None) is not None)
    return next(offsets, 0)


def _walk(body: Content, start: int, meta: Meta, limits: Limits, notes: Notes) -> Scan:
    uid = meta.transfer_syntax_uid
    declared = _BY_UID.get(uid, EXPLICIT) if uid else None
    encoding = _encoding(body, start, meta, declared)
    if declared not in (None, encoding):
        message = "the data set is written otherwise than its transfer syntax says"
        notes.add("transfer-syntax-mismatch", message)
        uid = _NATIVE_UIDS[encoding]
    if not meta.is_present:
        notes.add("meta-missing", "a bare data set without file meta information")
    if uid == BIG:
        notes.add("transfer-syntax-retired", "explicit VR big endian was retired in 2006")
    walk = Walk(body, start, len(body), encoding, limits, notes)
    data_set = walk.data_set()
    return Scan(
        content=body,
        data_set=data_set,
        meta=meta,
        transfer_syntax_uid=uid or _NATIVE_UIDS[encoding],
        encoding=encoding,
        pixel_data=walk.pixel_data,
        notes=notes,
        data_set_offset=meta.data_set_offset,
    )


def _encoding(body: Content, start: int, meta: Meta, declared: Encoding | None) -> Encoding:
    encoding = guess_encoding(body, start, len(body), declared)
    if encoding is not None and (declared is None or encoding.is_little == declared.is_little):
        return encoding
    if not meta.is_present:
        kind = "archive" if cut(body, 0, 4).startswith(_ARCHIVES) else "not-dicom"
        raise Refused("not_dicom", kind, "neither a Part 10 file nor a data set")
    if len(body) - start < 8:
        raise Refused("truncated", "truncated", "the object ends inside its first element")
    message = "the data set cannot be read as its transfer syntax says"
    raise Refused("unreadable", "transfer-syntax-mismatch", message)


_ARCHIVES: Final = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b")


def inflate(content: Content, start: int, limits: Limits, notes: Notes) -> bytes:
    """Return the inflated data set (PS3.5 A.5), in steps and within the limit.

    Raises
    ------
    Refused
        If the stream is broken, cut, or grows beyond `limits.inflated_bytes_max`.
    """
    try:
        return _inflate(content, start, -zlib.MAX_WBITS, limits, notes)
    except zlib.error:
        first = int.from_bytes(cut(content, start, 2))
        if first >> 8 & 0x0F != 8 or first % 31:  # RFC 1950 2.2
            message = "the deflated data set is broken"
            raise Refused("unreadable", "deflate-broken", message) from None
    try:
        inflated = _inflate(content, start, zlib.MAX_WBITS, limits, notes)
    except zlib.error:
        raise Refused("unreadable", "deflate-broken", "the deflated data set is broken") from None
    notes.add("deflate-framing", "the deflated data set has a zlib header (PS3.5 A.5 has none)")
    return inflated


def _inflate(content: Content, start: int, wbits: int, limits: Limits, notes: Notes) -> bytes:
    stream = zlib.decompressobj(wbits)
    parts, size, at = list[bytes](), 0, start
    while not stream.eof and at < len(content):
        piece = cut(content, at, _INFLATE_STEP)
        at += len(piece)
        while piece and not stream.eof:
            part = stream.decompress(piece, _INFLATE_STEP)
            piece = stream.unconsumed_tail
            parts.append(part)
            size += len(part)
            if size > limits.inflated_bytes_max:
                message = f"inflates to more than {limits.inflated_bytes_max} bytes"
                raise Refused("limit", "too-large", message)
    if not stream.eof:
        raise Refused("truncated", "truncated", "the object ends inside its deflated data set")
    left = len(stream.unused_data) + len(content) - at
    if left > _DEFLATE_TRAILER:
        notes.add("trailing-bytes", "bytes behind the deflated data set")
    return b"".join(parts)
