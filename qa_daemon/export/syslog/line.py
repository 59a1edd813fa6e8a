"""Syslog messages (RFC 5424) as they go over TLS (RFC 5425), with the fields of PS3.15 A.6."""

from datetime import datetime
from typing import Final

from attrs import frozen

#: Facility 10, security and authorization; severities notice and warning (PS3.15 A.6.1).
FACILITY: Final = 10
NOTICE: Final = 5
WARNING: Final = 4
#: What PS3.15 A.6 has the field MSGID say.
MESSAGE_ID: Final = "DICOM+RFC3881"
APPLICATION: Final = "qa-daemon"
_NIL: Final = "-"
#: The mark of UTF-8 (RFC 5424 section 6.4).
_BOM: Final = b"\xef\xbb\xbf"


@frozen(kw_only=True)
class Header:
    """Who says it, and when."""

    at: datetime
    host: str
    process_id: int
    has_failed: bool


def line(header: Header, message: bytes) -> bytes:
    """Return one message with its length before it."""
    priority = FACILITY * 8 + (WARNING if header.has_failed else NOTICE)
    fields = [
        f"<{priority}>1",
        header.at.isoformat(timespec="milliseconds"),
        _word(header.host, 255),
        APPLICATION,
        str(header.process_id),
        MESSAGE_ID,
        _NIL,
    ]
    whole = " ".join(fields).encode("ascii") + b" " + _BOM + message
    return str(len(whole)).encode("ascii") + b" " + whole


def _word(text: str, length_max: int) -> str:
    """Return text as a field of the header: printable ASCII, or the mark for nothing."""
    kept = "".join(character for character in text if "!" <= character <= "~")
    return kept[:length_max] or _NIL
