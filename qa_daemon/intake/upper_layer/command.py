"""Command sets of C-STORE as bytes (PS3.7 6.3.1, 9.3.1): implicit VR little endian, never pydicom.

A library that decodes texts and UIDs would fail on hostile ones before anybody could answer.
"""

import struct
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from qa_daemon.intake.admission import Answer

C_STORE_RQ: Final = 0x0001
C_ECHO_RQ: Final = 0x0030
C_STORE_RSP: Final = 0x8001
NO_DATA_SET: Final = 0x0101
COMMENT_LENGTH_MAX: Final = 64  # LO

_GROUP_LENGTH, _SOP_CLASS, _FIELD, _MESSAGE_ID = 0x0000, 0x0002, 0x0100, 0x0110
_RESPONDED_TO, _DATA_SET_TYPE, _STATUS, _COMMENT, _SOP_INSTANCE = (
    0x0120,
    0x0800,
    0x0900,
    0x0902,
    0x1000,
)
_HEADER: Final = struct.Struct("<HHL")


@frozen
class Command:
    """What a request says of itself.

    Attributes
    ----------
    sop_class_uid, sop_instance_uid
        As received without padding, empty where absent. Hostile: never a path, never logged.
    """

    field: int
    message_id: int
    has_data_set: bool
    sop_class_uid: bytes = b""
    sop_instance_uid: bytes = b""


def read_command(content: bytes) -> Command:
    """Return what a whole command set says.

    Raises
    ------
    ValueError
        If it cannot be taken apart, or lacks its field or message id.
    """
    values: dict[int, bytes] = dict(_elements(content))
    field, message_id = _number(values, _FIELD), _number(values, _MESSAGE_ID)
    if field is None or message_id is None:
        raise ValueError("command set without Command Field or Message ID")
    return Command(
        field,
        message_id,
        _number(values, _DATA_SET_TYPE) != NO_DATA_SET,
        values.get(_SOP_CLASS, b"").rstrip(b"\0 "),
        values.get(_SOP_INSTANCE, b"").rstrip(b"\0 "),
    )


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(content):
        if len(content) - position < _HEADER.size:
            raise ValueError("command set cut short")
        group, element, length = _HEADER.unpack_from(content, position)
        position += _HEADER.size
        if group != 0 or length > len(content) - position:
            raise ValueError("command set with a foreign group or a wrong length")
        yield element, content[position : position + length]
        position += length


def _number(values: dict[int, bytes], element: int) -> int | None:
    value = values.get(element, b"")
    return int.from_bytes(value, "little") if len(value) == 2 else None


def store_response(command: Command, answer: Answer) -> bytes:
    """Return the command set of the C-STORE-RSP (PS3.7 9.3.1.2).

    UIDs are repeated as they came; one that is no legal value is left out, it is optional.
    """
    comment = answer.comment.encode("ascii")
    assert len(comment) <= COMMENT_LENGTH_MAX
    fields = [
        (_SOP_CLASS, _uid(command.sop_class_uid)),
        (_FIELD, _short(C_STORE_RSP)),
        (_RESPONDED_TO, _short(command.message_id)),
        (_DATA_SET_TYPE, _short(NO_DATA_SET)),
        (_STATUS, _short(answer.status)),
        (_COMMENT, comment + b" " * (len(comment) % 2)),
        (_SOP_INSTANCE, _uid(command.sop_instance_uid)),
    ]
    body = b"".join(_element(element, value) for element, value in fields if value)
    return _element(_GROUP_LENGTH, struct.pack("<L", len(body))) + body


def _element(element: int, value: bytes) -> bytes:
    return _HEADER.pack(0, element, len(value)) + value


def _short(number: int) -> bytes:
    return struct.pack("<H", number)


def _uid(value: bytes) -> bytes:
    return value + b"\0" * (len(value) % 2) if len(value) <= 64 else b""
