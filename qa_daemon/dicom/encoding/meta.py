"""The head of a Part 10 file (PS3.10 7.1): preamble, magic, group 0002, however badly written."""

from struct import unpack_from
from typing import Final

from attrs import field, frozen

from qa_daemon.dicom.encoding.elements_at import Header, header_at, odd_vr_header
from qa_daemon.dicom.encoding.tokens import (
    EXPLICIT,
    IMPLICIT,
    UNDEFINED,
    Content,
    Encoding,
    Notes,
    Refused,
    cut,
)

PREAMBLE_LENGTH: Final = 128
_MAGIC: Final = b"DICM"
_GROUP_LENGTH: Final = 0x00020000
_SOP_CLASS: Final = 0x00020002
_SOP_INSTANCE: Final = 0x00020003
_TRANSFER_SYNTAX: Final = 0x00020010
_GROUP: Final = b"\x02\x00"
#: Programs that an operating system would start (CVE-2019-11687).
_EXECUTABLES: Final = (
    b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
)  # fmt: skip
#: Documents that a browser or viewer would open; TIFF is allowed (PS3.10 7.1, dual personality).
_DOCUMENTS: Final = (b"<", b"%PDF", b"PK\x03\x04", b"\x89PNG", b"GIF8", b"{", b"\x1f\x8b")
#: An element of group 0002 longer than this is not read (private information is allowed there).
_VALUE_BYTES_MAX: Final = 1 << 16


@frozen
class Meta:
    """What group 0002 says, raw, and where the data set begins."""

    data_set_offset: int
    values: dict[int, bytes] = field(factory=dict)
    is_present: bool = False

    def uid(self, tag: int) -> str:
        """Return a UID without its padding."""
        return self.values.get(tag, b"").decode("latin-1").strip("\0 ")

    @property
    def transfer_syntax_uid(self) -> str:
        """(0002,0010), `""` if absent."""
        return self.uid(_TRANSFER_SYNTAX)

    @property
    def sop_class_uid(self) -> str:
        """(0002,0002), `""` if absent."""
        return self.uid(_SOP_CLASS)

    @property
    def sop_instance_uid(self) -> str:
        """(0002,0003), `""` if absent."""
        return self.uid(_SOP_INSTANCE)


def read_meta(content: Content, end: int, notes: Notes) -> Meta:
    """Return the head; `is_present` is False where the bytes begin with a data set.

    Raises
    ------
    Refused
        If the object ends inside the head.
    """
    at = _group_offset(content, end, notes)
    if at is None:
        return Meta(0)
    if at + 8 > end:
        raise Refused("truncated", "truncated", "the object ends inside the file meta information")
    meta = _read_group(content, at, end, notes)
    again = cut(content, meta.data_set_offset, 4)
    if again == b"\x02\x00\x00\x00":
        message = "a second group 0002 follows the first; the first counts"
        notes.add("group-0002-in-dataset", message)
        second = _read_group(content, meta.data_set_offset, end, Notes(0))
        meta = Meta(second.data_set_offset, meta.values, is_present=True)
    _check(meta, notes)
    return meta


def _group_offset(content: Content, end: int, notes: Notes) -> int | None:
    """Return where group 0002 stands, None if there is none."""
    magic_at = PREAMBLE_LENGTH
    if cut(content, magic_at, 4) == _MAGIC:
        _check_preamble(cut(content, 0, PREAMBLE_LENGTH), notes)
        return magic_at + 4
    for at, what in (
        (4 if cut(content, 0, 4) == _MAGIC else 0, "no preamble"),
        (magic_at + 4, "no DICM behind the preamble"),
        (magic_at, "no DICM behind the preamble"),
    ):
        if at + 8 <= end and _is_group_2(cut(content, at, 8)):
            notes.add("preamble-missing", what)
            return at
    return None


def _is_group_2(head: bytes) -> bool:
    """Whether eight bytes begin an element of group 0002, in explicit or implicit VR."""
    if head[:2] != _GROUP or head[3] > 1:
        return False
    return (head[4:6].isalpha() and head[4:6].isupper()) or head[6:8] == b"\0\0"


def _check_preamble(preamble: bytes, notes: Notes) -> None:
    if preamble.startswith(_EXECUTABLES):
        message = "the preamble begins like a program; never start the file"
        notes.add("preamble-executable", message)
    elif preamble.lstrip().startswith(_DOCUMENTS):
        notes.add("preamble-suspicious", "the preamble begins like a document of another kind")


def _read_group(content: Content, at: int, end: int, notes: Notes) -> Meta:
    encoding = _encoding(content, at, notes)
    start, values, last = at, dict[int, bytes](), -1
    while cut(content, at, 2) == _GROUP:
        header = header_at(content, at, end, encoding)
        if header is not None and header.tag == _GROUP_LENGTH and start != at:
            break
        header = _sound(content, header, end, encoding, notes)
        if header.tag in values:
            notes.add("duplicate-element", "an element of group 0002 stands twice", None)
        elif header.tag < last:
            notes.add("element-order", "group 0002 is not in ascending order", None)
        if header.length <= _VALUE_BYTES_MAX:
            values.setdefault(header.tag, cut(content, header.offset, header.length))
        at, last = header.stop, header.tag
    if end - at == 1:
        raise Refused("truncated", "truncated", "the object ends inside the file meta information")
    _check_group_length(values, at - start, notes)
    return Meta(at, values, is_present=True)


def _sound(
    content: Content, header: Header | None, end: int, encoding: Encoding, notes: Notes
) -> Header:
    if header is not None and header.vr == "":
        notes.add("vr-unknown", "group 0002 has a value representation that is none of PS3.5 6.2")
        header = odd_vr_header(content, header, end, encoding)
    if header is None or header.length == UNDEFINED or header.stop > end:
        raise Refused("truncated", "truncated", "the object ends inside the file meta information")
    return header


def _encoding(content: Content, at: int, notes: Notes) -> Encoding:
    vr = cut(content, at + 4, 2)
    if vr[1:] == b"\0":
        notes.add("meta-encoding", "group 0002 is written in implicit VR")
        return IMPLICIT
    return EXPLICIT


def _check_group_length(values: dict[int, bytes], length: int, notes: Notes) -> None:
    raw = values.get(_GROUP_LENGTH, b"")
    if len(raw) != 4:
        notes.add("meta-group-length", "(0002,0000) is missing")
    elif unpack_from("<I", raw)[0] != length - 12:
        notes.add("meta-group-length", "(0002,0000) is not the length of group 0002")


def _check(meta: Meta, notes: Notes) -> None:
    if not (meta.sop_class_uid and meta.sop_instance_uid):
        notes.add("meta-incomplete", "group 0002 does not name the SOP class or instance")
    raw = meta.values.get(_TRANSFER_SYNTAX, b"")
    if not meta.transfer_syntax_uid:
        notes.add("transfer-syntax-missing", "group 0002 names no transfer syntax")
    elif raw.removesuffix(b"\0").decode("latin-1") != meta.transfer_syntax_uid:
        notes.add("uid-invalid", "the transfer syntax UID is padded wrongly", "TransferSyntaxUID")
