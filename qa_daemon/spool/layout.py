"""How a record lies in its file: head (the envelope), the object's bytes, tail (the checksum).

The head comes first so that an object cut short still says who sent it; the tail comes last so
that a record without one is known to be torn.
"""

import json
import re
import struct
import zlib
from datetime import datetime
from typing import Final

import attrs

from qa_daemon.errors import InputError
from qa_daemon.records.receipt import Envelope, Origin

HEAD_MAGIC: Final = b"QADSPL1\n"
TAIL_MAGIC: Final = b"QADEND1\n"
_HEAD: Final = struct.Struct(">8sII")  # magic, length and CRC-32 of the envelope's JSON
_TAIL: Final = struct.Struct(">8sQ32sI")  # magic, object length, SHA-256 of the data set, CRC-32
_TAIL_CRC: Final = struct.Struct(">I")
TAIL_LENGTH: Final = _TAIL.size

KEY_PATTERN: Final = re.compile(r"[0-9a-f]{32}")
#: 2 to the 40 nanoseconds: a folder holds the records of some 18 minutes, so that no folder grows
#: without bound and old ones fall empty as a whole.
BUCKET_LENGTH: Final = 6


class RecordUnreadable(InputError):  # noqa: N818  a state of the record, named so between rooms
    """The record is missing, torn or altered: nothing but a new copy mends it."""


@attrs.frozen
class Tail:
    """What the end of a record says."""

    length: int
    data_set_sha256: bytes


def bucket(key: str) -> str:
    """Return the name of the folder in which a record lies."""
    if KEY_PATTERN.fullmatch(key) is None:
        raise RecordUnreadable("a spool key has 32 hexadecimal digits; this is none")
    return key[:BUCKET_LENGTH]


def head(envelope: Envelope) -> bytes:
    """Return the first bytes of a record."""
    fields = attrs.asdict(envelope) | {"received_at": envelope.received_at.isoformat()}
    text = json.dumps(fields, separators=(",", ":")).encode("ascii")
    return _HEAD.pack(HEAD_MAGIC, len(text), zlib.crc32(text)) + text


def tail(length: int, data_set_sha256: bytes) -> bytes:
    """Return the last bytes of a record."""
    fields = _TAIL.pack(TAIL_MAGIC, length, data_set_sha256, 0)[: -_TAIL_CRC.size]
    return fields + _TAIL_CRC.pack(zlib.crc32(fields))


def read_head(content: memoryview, key: str) -> tuple[Envelope, int]:
    """Return the envelope and the place where the object begins."""
    if len(content) < _HEAD.size:
        raise RecordUnreadable(f"spool record {key}: cut short in its head; ask for a new copy")
    magic, length, checksum = _HEAD.unpack_from(content)
    begin = _HEAD.size + length
    text = bytes(content[_HEAD.size : begin])
    if magic != HEAD_MAGIC or len(text) != length or zlib.crc32(text) != checksum:
        raise RecordUnreadable(f"spool record {key}: its head is damaged; ask for a new copy")
    fields = json.loads(text)
    known = {field.name for field in attrs.fields(Envelope)}
    # A newer release may have written more; what it added is not needed here.
    kept = {name: value for name, value in fields.items() if name in known}
    kept["received_at"] = datetime.fromisoformat(kept["received_at"])
    kept["origin"] = Origin(kept["origin"])
    return Envelope(**kept), begin


def read_tail(content: memoryview, key: str) -> Tail:
    """Return what the tail says; a record without a whole one was torn."""
    end = bytes(content[-TAIL_LENGTH:])
    if len(end) == TAIL_LENGTH:
        magic, length, digest, checksum = _TAIL.unpack(end)
        if magic == TAIL_MAGIC and zlib.crc32(end[: -_TAIL_CRC.size]) == checksum:
            return Tail(length, digest)
    raise RecordUnreadable(f"spool record {key}: its tail is missing; ask for a new copy")
