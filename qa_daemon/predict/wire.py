"""Messages between the inference child and its parent: a JSON head and a body of bytes.

Only plain JSON comes out of the child, since a codec that was taken over by an object could write
anything there. Both ends bound what they read before they reserve memory for it.
"""

import json
from collections.abc import Mapping
from socket import MSG_WAITALL, socket
from struct import Struct
from time import monotonic
from typing import Any, Final

from attrs import frozen

from qa_daemon.limits import MIB

HEAD_BYTES_MAX: Final = MIB
#: Exit status of a child that ran out of memory.
STATUS_MEMORY: Final = 77
_LENGTHS: Final = Struct("<IQ")


class Broken(Exception):  # noqa: N818  the connection is; nobody shows it to a user
    """The other end has gone, or sends what is no message."""


@frozen
class Message:
    """One message; `body` is empty in answers."""

    head: Mapping[str, Any]
    body: bytes | bytearray = b""


def send(connection: socket, message: Message, deadline: float | None = None) -> None:
    """Send a message whole.

    Raises
    ------
    TimeoutError
        If the other end has not taken it by `deadline`, a time of the monotonic clock.
    Broken
        If the other end has gone.
    """
    head = json.dumps(message.head, separators=(",", ":")).encode()
    try:
        _arm(connection, deadline)
        connection.sendall(_LENGTHS.pack(len(head), len(message.body)) + head)
        if message.body:
            _arm(connection, deadline)
            connection.sendall(message.body)
    except (BrokenPipeError, ConnectionError) as error:
        raise Broken("the other end has gone") from error


def receive(connection: socket, body_bytes_max: int, deadline: float | None = None) -> Message:
    """Return the next message.

    Raises
    ------
    TimeoutError
        If it is not there by `deadline`, a time of the monotonic clock.
    Broken
        If the other end has gone, or sends what is no message.
    """
    head_length, body_length = _LENGTHS.unpack(_exactly(connection, _LENGTHS.size, deadline))
    if head_length > HEAD_BYTES_MAX or body_length > body_bytes_max:
        raise Broken("a message is longer than agreed")
    try:
        head = json.loads(_exactly(connection, head_length, deadline))
    except ValueError as error:
        raise Broken("a message is no JSON") from error
    if not isinstance(head, dict):
        raise Broken("a message is no JSON object")
    return Message(head, _exactly(connection, body_length, deadline))


def _exactly(connection: socket, length: int, deadline: float | None) -> bytearray:
    received = bytearray(length)
    view, at = memoryview(received), 0
    while at < length:
        _arm(connection, deadline)
        try:
            count = connection.recv_into(view[at:], length - at, MSG_WAITALL)
        except ConnectionError as error:
            raise Broken("the other end has gone") from error
        if count == 0:
            raise Broken("the other end has gone")
        at += count
    return received


def _arm(connection: socket, deadline: float | None) -> None:
    """Let the next call end at the deadline; an end already passed times out at once."""
    if deadline is None:
        connection.settimeout(None)
        return
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    connection.settimeout(left)
