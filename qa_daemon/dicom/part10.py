"""File meta information around a received data set (PS3.10 7.1)."""

from struct import pack
from typing import Final

from attrs import frozen

from qa_daemon.dicom.encoding.meta import read_meta
from qa_daemon.dicom.encoding.tokens import Content, Notes
from qa_daemon.dicom.scan import bare_offset

#: Ours, derived from a UUID (PS3.5 B.2).
IMPLEMENTATION_CLASS_UID: Final = "2.25.176424029498340217823311903211943207402"
IMPLEMENTATION_VERSION_NAME: Final = "QA_DAEMON"
_PREAMBLE: Final = b"\0" * 128 + b"DICM"


@frozen
class MetaIdentity:
    """What the head of a file says about its data set and its way to us.

    Attributes
    ----------
    source_ae, sending_ae, receiving_ae
        (0002,0016) to (0002,0018), left out where empty: who wrote the file, who sent it (the
        calling AE title), who received it (the called one).
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    source_ae: str = ""
    sending_ae: str = ""
    receiving_ae: str = ""


def file_meta(identity: MetaIdentity) -> bytes:
    """Return preamble, DICM and group 0002 in explicit VR little endian."""
    elements = [
        pack("<HH2s2xI", 2, 0x0001, b"OB", 2) + b"\0\1",
        _text(0x0002, b"UI", identity.sop_class_uid),
        _text(0x0003, b"UI", identity.sop_instance_uid),
        _text(0x0010, b"UI", identity.transfer_syntax_uid),
        _text(0x0012, b"UI", IMPLEMENTATION_CLASS_UID),
        _text(0x0013, b"SH", IMPLEMENTATION_VERSION_NAME),
    ]
    titles = (identity.source_ae, identity.sending_ae, identity.receiving_ae)
    elements += [
        _text(element, b"AE", title) for element, title in enumerate(titles, 0x0016) if title
    ]
    group = b"".join(elements)
    return _PREAMBLE + pack("<HH2sHI", 2, 0, b"UL", 4, len(group)) + group


def data_set_offset(content: Content) -> int:
    """Return where the data set begins: behind group 0002, or where a bare one stands.

    Raises
    ------
    Refused
        If the object ends inside its head.
    """
    meta = read_meta(content, len(content), Notes(0))
    return meta.data_set_offset if meta.is_present else bare_offset(content)


def _text(element: int, vr: bytes, text: str) -> bytes:
    """Encode a short element; bytes outside ASCII, which no UID or title has, become `?`."""
    raw = text.encode("ascii", "replace")
    if len(raw) % 2:
        raw += b"\0" if vr == b"UI" else b" "
    return pack("<HH2sH", 2, element, vr, len(raw)) + raw
