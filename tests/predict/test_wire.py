"""Messages arrive whole or not at all."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.predict.wire import HEAD_BYTES_MAX, Broken, Message, receive, send


@contextmanager
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@given(st.dictionaries(st.text(), st.integers() | st.text()), st.binary(max_size=2000))
def test_what_is_sent_arrives(head: dict[str, int | str], body: bytes) -> None:
    with ends() as (ours, theirs):
        send(ours, Message(head, body))
        got = receive(theirs, 2000)
    assert dict(got.head) == head
    assert got.body == body


def test_a_body_larger_than_the_buffers_arrives() -> None:
    body = bytes(range(256)) * 40_000
    with ends() as (ours, theirs):
        sender = Thread(target=send, args=(ours, Message({}, body)))
        sender.start()
        assert receive(theirs, len(body)).body == body
        sender.join()


def raw(head: bytes, head_length: int | None = None, body_length: int = 0) -> bytes:
    length = len(head) if head_length is None else head_length
    return length.to_bytes(4, "little") + body_length.to_bytes(8, "little") + head


@pytest.mark.parametrize(
    "sent",
    [
        raw(b"{}", head_length=HEAD_BYTES_MAX + 1),
        raw(b"{}", body_length=11),
        raw(b"not json"),
        raw(b"\xff\xfe"),
        raw(json.dumps([1]).encode()),
        raw(b"{}")[:-1],
        b"",
    ],
)
def test_what_is_no_message_breaks_the_connection(sent: bytes) -> None:
    with ends() as (ours, theirs):
        ours.sendall(sent)
        ours.shutdown(socket.SHUT_WR)
        with pytest.raises(Broken):
            receive(theirs, 10)


def test_an_end_that_has_gone_is_noticed_while_sending() -> None:
    with ends() as (ours, theirs):
        theirs.close()
        with pytest.raises(Broken):
            send(ours, Message({}, b"x" * 1000))


def test_silence_ends_at_the_deadline() -> None:
    with ends() as (ours, theirs):
        with pytest.raises(TimeoutError):
            receive(theirs, 10, monotonic() + 0.05)
        with pytest.raises(TimeoutError):
            send(ours, Message({}, bytes(1 << 24)), monotonic() + 0.05)
        with pytest.raises(TimeoutError):
            receive(theirs, 10, monotonic() - 1)


def test_a_reset_while_receiving_is_noticed() -> None:
    with ends() as (ours, theirs):
        theirs.sendall(b"unread")
        theirs_message = raw(b"{}", body_length=5)
        ours.sendall(theirs_message)
        ours.close()  # with unread bytes: the peer gets a reset once it has read ours
        with pytest.raises(Broken):
            receive(theirs, 10)
